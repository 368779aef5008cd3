//! Who owns a value, when it is cloned, when it is dropped.

use delayed::{Client, Delayed, delayed, value};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

#[derive(Default)]
struct Counts {
    clones: AtomicUsize,
    drops: AtomicUsize,
}

impl Counts {
    fn clones(&self) -> usize {
        self.clones.load(SeqCst)
    }
    fn drops(&self) -> usize {
        self.drops.load(SeqCst)
    }
}

struct Counted(Arc<Counts>);

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.0.clones.fetch_add(1, SeqCst);
        Counted(self.0.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.drops.fetch_add(1, SeqCst);
    }
}

#[delayed]
fn make(counts: Arc<Counts>) -> Counted {
    Counted(counts)
}
#[delayed]
fn pass(x: Counted) -> Counted {
    x
}
#[delayed]
fn eat(x: Counted) -> u32 {
    let _ = &x;
    1
}
#[delayed]
fn look(_x: &Counted) -> u32 {
    1
}
#[delayed]
fn eat_all(xs: Vec<Counted>) -> usize {
    xs.len()
}

#[test]
fn a_value_moves_through_a_chain() {
    let counts = Arc::new(Counts::default());
    let mut x = make(counts.clone());
    for _ in 0..if cfg!(miri) { 10 } else { 100 } {
        x = pass(x);
    }
    assert_eq!(eat(x).wait().unwrap(), 1);
    assert_eq!((counts.clones(), counts.drops()), (0, 1));
}

#[test]
fn the_last_consumer_gets_the_value_and_the_others_a_clone() {
    // On one thread they come one after the other; those that come at the same moment all clone.
    for threads in [1, 2] {
        let client = Client::builder().threads_per_worker(threads).build().unwrap();
        let _guard = client.enter();
        let counts = Arc::new(Counts::default());
        let x = make(counts.clone());
        let all = [eat(&x), eat(&x), eat(x)];
        assert_eq!(delayed::wait(all).unwrap(), [1, 1, 1]);
        let clones = counts.clones();
        assert!(clones == 2 || threads == 2 && clones == 3, "{clones} clones on {threads} threads");
        assert_eq!(counts.drops(), clones + 1);
    }
}

#[test]
fn a_borrowing_parameter_clones_nothing() {
    let counts = Arc::new(Counts::default());
    let x = make(counts.clone());
    let all: Vec<_> = (0..10).map(|_| look(&x)).collect();
    delayed::wait(all).unwrap();
    assert_eq!((counts.clones(), counts.drops()), (0, 0));
    drop(x);
    assert_eq!((counts.clones(), counts.drops()), (0, 1));
}

#[test]
fn compute_moves_the_value_to_its_last_owner() {
    let counts = Arc::new(Counts::default());
    let x = make(counts.clone()).wait().unwrap();
    assert_eq!((counts.clones(), counts.drops()), (0, 0));
    drop(x);
    let x = make(counts.clone());
    drop(x.clone().wait().unwrap());
    assert_eq!(counts.clones(), 1);
    let both = delayed::wait(vec![x.clone(), x]).unwrap();
    assert_eq!((both.len(), counts.clones()), (2, 2));
}

#[test]
fn values_move_out_of_large_collections() {
    let counts = Arc::new(Counts::default());
    let sizes: &[usize] = if cfg!(miri) { &[2, 65] } else { &[1, 2, 64, 65, 129, 5_000, 20_000] };
    for &n in sizes {
        let all: Vec<_> = (0..n).map(|_| make(counts.clone())).collect();
        assert_eq!(eat_all(all).wait().unwrap(), n);
        let all: Delayed<Vec<_>> = (0..n).map(|_| make(counts.clone())).collect();
        assert_eq!(all.wait().unwrap().len(), n);
        let all: Vec<_> = (0..n).map(|_| make(counts.clone())).collect();
        assert_eq!(delayed::gather(all).wait().unwrap().len(), n);
        let all: Vec<_> = (0..n).map(|_| make(counts.clone())).collect();
        assert_eq!(delayed::wait(all).unwrap().len(), n);
    }
    assert_eq!(counts.clones(), 0);
    assert_eq!(counts.drops(), 4 * sizes.iter().sum::<usize>());
}

#[test]
fn a_value_is_freed_when_its_last_reader_is_done() {
    let counts = Arc::new(Counts::default());
    let x = make(counts.clone());
    let seen = counts.clone();
    let after = look(&x).map(move |_| seen.drops());
    drop(x);
    assert_eq!(after.wait().unwrap(), 1);
}

#[test]
fn what_never_ran_is_dropped_too() {
    let counts = Arc::new(Counts::default());
    let given = value(Counted(counts.clone()));
    drop((eat(&given), eat_all(vec![given.clone(); 200]), given));
    drop(eat(Counted(counts.clone())));
    assert_eq!((counts.clones(), counts.drops()), (0, 2));
}

#[test]
fn sole_moves_what_cannot_be_cloned() {
    struct Once(u32);
    #[delayed]
    fn once() -> Once {
        Once(7)
    }
    #[delayed]
    fn open(x: Once, more: &Once) -> u32 {
        x.0 + more.0
    }
    let more = once();
    assert_eq!(open(once().sole(), &more).wait().unwrap(), 14);

    let kept = once().named("kept");
    let error = open(kept.clone().sole(), &more).wait().unwrap_err();
    assert_eq!(error.node().name(), "open");
    assert!(error.to_string().contains(&kept.key()), "{error}");
    assert_eq!(kept.wait_ref().unwrap().0, 7);
}

#[test]
fn a_reference_keeps_the_value() {
    let counts = Arc::new(Counts::default());
    let x = make(counts.clone());
    let reference = x.wait_ref().unwrap();
    drop(x);
    assert_eq!(counts.drops(), 0);
    drop(reference);
    assert_eq!((counts.clones(), counts.drops()), (0, 1));
}

#[test]
fn values_of_any_size_and_alignment() {
    #[derive(Clone, Copy, PartialEq, Debug)]
    #[repr(align(128))]
    struct Wide([u8; 300]);
    #[delayed]
    fn wide(x: u8) -> Wide {
        assert_eq!(std::mem::align_of::<Wide>(), 128);
        Wide([x; 300])
    }
    #[delayed]
    fn check(x: Wide, y: &Wide, big: [u64; 1000], z: u128) -> bool {
        (&raw const x).addr().is_multiple_of(128)
            && (&raw const *y).addr().is_multiple_of(128)
            && x == *y
            && big.iter().all(|&b| b == 3)
            && z == 1 << 100
    }
    let big = delayed::call(|| [3u64; 1000], ());
    let shared = wide(5);
    for _ in 0..if cfg!(miri) { 2 } else { 100 } {
        assert!(check(wide(5), &shared, &big, value(1u128 << 100)).wait().unwrap());
        drop(check(wide(5), &shared, [3; 1000], 1));
    }
}

#[test]
fn sole_looks_at_its_own_argument() {
    struct Once(u32);
    #[delayed]
    fn once() -> Once {
        Once(7)
    }
    #[delayed]
    fn open(all: Vec<i64>, more: &Once, x: Once, pair: (i64, i64)) -> u32 {
        x.0 + more.0 + all.len() as u32 + pair.0 as u32
    }
    let (kept, shared, one) = (once(), once(), value(1i64));
    let reference = kept.wait_ref().unwrap();
    for n in [0, 1, 64, 65] {
        let all = vec![one.clone(); n];
        let refused = open(all.clone(), once(), kept.clone().sole(), (&one, 2)).wait();
        assert!(refused.unwrap_err().to_string().contains("sole"));
        assert_eq!(open(all, &shared, once().sole(), (&one, 2)).wait().unwrap(), 15 + n as u32);
    }
    assert_eq!(reference.0, 7);
}

#[test]
fn a_persisted_value_can_be_moved() {
    for _ in 0..if cfg!(miri) { 5 } else { 200 } {
        let counts = Arc::new(Counts::default());
        let x = make(counts.clone()).persist();
        assert_eq!(eat(x).wait().unwrap(), 1);
        assert_eq!((counts.clones(), counts.drops()), (0, 1));
        let x = make(counts.clone()).persist();
        let y = delayed::call(|x: Counted| drop(x), (x.sole(),));
        y.wait().unwrap();
    }
}
