//! A node's `tracing` span is a child of the span that the node was made in.

use delayed::{Client, delayed};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

/// For each node that told something, from inside: what surrounds it.
#[derive(Clone, Default)]
struct Seen {
    stacks: Arc<Mutex<Vec<String>>>,
    open: Arc<Mutex<HashMap<u64, String>>>,
}

struct Name(Option<String>);

impl Visit for Name {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "name" {
            self.0 = Some(format!("{value:?}").trim_matches('"').to_owned());
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Seen {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        self.open.lock().unwrap().insert(id.into_u64(), attributes.metadata().name().to_owned());
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut name = Name(None);
        values.record(&mut name);
        if let Some(name) = name.0 {
            self.open.lock().unwrap().insert(id.into_u64(), name);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let open = self.open.lock().unwrap();
        let scope = context.event_scope(event).into_iter().flat_map(|scope| scope.from_root());
        let stack: Vec<&str> = scope.map(|span| &*open[&span.id().into_u64()]).collect();
        self.stacks.lock().unwrap().push(stack.join(" > "));
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        self.open.lock().unwrap().remove(&id.into_u64());
    }
}

#[delayed]
fn tell(x: u32) -> u32 {
    tracing::info!("here");
    x + 1
}

#[delayed]
async fn tell_later(x: u32) -> u32 {
    tokio::task::yield_now().await;
    tracing::info!("here");
    x + 1
}

#[delayed(blocking)]
fn tell_apart(x: u32) -> u32 {
    tracing::info!("here");
    x + 1
}

/// One test, because a subscriber for all threads belongs to the process.
#[test]
fn the_span_of_the_builder_is_the_parent() {
    let seen = Seen::default();
    tracing::subscriber::set_global_default(Registry::default().with(seen.clone())).unwrap();
    let client = Client::builder().threads_per_worker(2).build().unwrap();
    let graph = {
        let first = tracing::info_span!("job").in_scope(|| {
            let first = tell(1);
            tracing::info_span!("part").in_scope(|| tell_later(first).named("renamed"))
        });
        tell_apart(first)
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(client.compute(graph)).unwrap(), 4);
    assert_eq!(*seen.stacks.lock().unwrap(), ["job > tell", "job > part > renamed", "tell_apart"]);
    // A node that never runs closes its span, too.
    drop(tell(1));
    assert!(seen.open.lock().unwrap().is_empty(), "spans end with their nodes");
}
