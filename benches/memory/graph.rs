//! A graph as a list of nodes, and its peaks.

/// A graph whose values nobody looks at: only how many there are matters.
pub(crate) struct Graph {
    pub(crate) name: &'static str,
    /// Dask breaks ties by the keys.
    pub(crate) keys: Vec<String>,
    /// The inputs of each node, in the order of its arguments. They come before it in the list.
    pub(crate) inputs: Vec<Vec<usize>>,
}

impl Graph {
    pub(crate) fn new(name: &'static str) -> Graph {
        Graph { name, keys: Vec::new(), inputs: Vec::new() }
    }

    /// Reads a graph that is written like nested calls: `c(a b(a))`. A node has its inputs where it
    /// is named first; a name that has none anywhere is a source.
    pub(crate) fn parse(name: &'static str, text: &str) -> Graph {
        let mut graph = Graph::new(name);
        let text = text.replace('(', " ( ").replace(')', " ) ");
        let mut words = text.split_whitespace().peekable();
        let mut open = vec![("", Vec::new())];
        while let Some(word) = words.next() {
            let node = if word == ")" {
                let (key, inputs) = open.pop().expect("a bracket that was opened");
                graph.add(key, inputs)
            } else if words.next_if_eq(&"(").is_some() {
                open.push((word, Vec::new()));
                continue;
            } else {
                graph.keys.iter().position(|key| key == word).unwrap_or_else(|| graph.add(word, []))
            };
            open.last_mut().expect("more opening brackets than closing ones").1.push(node);
        }
        assert_eq!(open.len(), 1, "{name}: a bracket is not closed");
        graph
    }

    /// Adds a node and returns its number.
    pub(crate) fn add(&mut self, key: impl Into<String>, inputs: impl Into<Vec<usize>>) -> usize {
        let (node, inputs) = (self.keys.len(), inputs.into());
        assert!(inputs.iter().all(|&input| input < node), "an input comes before its consumer");
        self.keys.push(key.into());
        self.inputs.push(inputs);
        node
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn edges(&self) -> usize {
        self.inputs.iter().map(Vec::len).sum()
    }

    /// How many nodes take each node's value.
    pub(crate) fn consumers(&self) -> Vec<usize> {
        let mut consumers = vec![0; self.len()];
        for &input in self.inputs.iter().flatten() {
            consumers[input] += 1;
        }
        consumers
    }
}

/// The most live values at a moment when a node has just produced its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Peaks {
    /// Sinks stay.
    pub(crate) all: usize,
    /// A sink counts at the moment it is produced, and no longer.
    pub(crate) intermediate: usize,
}

const DASK_ORDER: &str = include_str!("dask_order.txt");

/// The peaks of Dask's order, from the file that `dask_order.py` writes.
pub(crate) fn dask(graph: &Graph) -> Peaks {
    let mut fields = DASK_ORDER
        .lines()
        .map(|line| line.split_whitespace())
        .find_map(|mut fields| (fields.next() == Some(graph.name)).then_some(fields))
        .unwrap_or_else(|| panic!("dask_order.txt has no `{}`: write it anew", graph.name));
    let mut next = || fields.next().and_then(|field| field.parse::<usize>().ok()).expect("four numbers");
    assert_eq!((next(), next()), (graph.len(), graph.edges()), "`{}` has changed: write it anew", graph.name);
    Peaks { all: next(), intermediate: next() }
}
