//! Plans: graphs of numbers as flat arrays, from which each peer builds a graph of its own.
//!
//! The value of a node is its bias plus the sum of its inputs, both wrapping. Inputs have smaller
//! numbers than the node, so a loop over the nodes in order is a valid run. The programs in
//! `native/` and `python/` make the same plans; [`Plan::hash`] shows that they do.

/// A graph to run.
#[derive(Debug)]
pub struct Plan {
    pub biases: Vec<u64>,
    /// Nodes without consumers, in order: their values are what a run is asked for.
    pub sinks: Vec<u32>,
    /// How many consumers each node has.
    pub consumers: Vec<u32>,
    inputs: Vec<u32>,
    /// The inputs of node `i` are `inputs[offsets[i]..offsets[i + 1]]`.
    offsets: Vec<u32>,
}

impl Plan {
    pub fn nodes(&self) -> usize {
        self.biases.len()
    }

    pub fn edges(&self) -> usize {
        self.inputs.len()
    }

    pub fn inputs(&self, node: usize) -> &[u32] {
        &self.inputs[self.offsets[node] as usize..self.offsets[node + 1] as usize]
    }

    /// The largest number of inputs that a node has.
    pub fn most_inputs(&self) -> usize {
        self.offsets.windows(2).map(|pair| (pair[1] - pair[0]) as usize).max().unwrap_or(0)
    }

    /// FNV-1a over the biases and inputs of all nodes.
    pub fn hash(&self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut add = |x: u64| hash = (hash ^ x).wrapping_mul(0x100_0000_01b3);
        for (node, &bias) in self.biases.iter().enumerate() {
            let inputs = self.inputs(node);
            add(bias);
            add(inputs.len() as u64);
            inputs.iter().for_each(|&input| add(input as u64));
        }
        hash
    }

    /// A sum over the values of the sinks, in which each has a weight of its own.
    pub fn checksum(&self, mut value: impl FnMut(u32) -> u64) -> u64 {
        self.sinks
            .iter()
            .fold(0, |sum: u64, &sink| sum.wrapping_add(value(sink).wrapping_mul(2 * sink as u64 + 1)))
    }
}

/// A plan in the making.
#[derive(Debug)]
pub struct Draft {
    biases: Vec<u64>,
    inputs: Vec<u32>,
    offsets: Vec<u32>,
}

impl Draft {
    pub fn new() -> Draft {
        Draft { biases: Vec::new(), inputs: Vec::new(), offsets: vec![0] }
    }

    /// Adds a node and gives its number.
    pub fn node(&mut self, inputs: &[u32], bias: u64) -> u32 {
        self.inputs.extend_from_slice(inputs);
        self.offsets.push(self.inputs.len() as u32);
        self.biases.push(bias);
        self.biases.len() as u32 - 1
    }

    /// Nodes without inputs, with the biases 0, 1, 2...
    pub fn leaves(&mut self, count: usize) -> Vec<u32> {
        (0..count as u64).map(|bias| self.node(&[], bias)).collect()
    }

    /// Sums up `layer` by a tree of nodes with `fan_in` inputs; a rest of one moves up as it is.
    pub fn reduce(&mut self, mut layer: Vec<u32>, fan_in: usize) {
        while layer.len() > 1 {
            layer = layer
                .chunks(fan_in)
                .map(|chunk| if let [one] = *chunk { one } else { self.node(chunk, 0) })
                .collect();
        }
    }

    pub fn finish(self) -> Plan {
        let Draft { biases, inputs, offsets } = self;
        let mut consumers = vec![0; biases.len()];
        for &input in &inputs {
            consumers[input as usize] += 1;
        }
        let sinks = (0..biases.len() as u32).filter(|&node| consumers[node as usize] == 0).collect();
        Plan { biases, sinks, consumers, inputs, offsets }
    }
}

/// The splitmix64 generator.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(Random::STEP);
        Random::mix(self.0)
    }

    /// A number from 0 to 1 that depends on `key` alone.
    pub fn fraction(key: u64) -> f64 {
        (Random::mix(key.wrapping_mul(Random::STEP)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn mix(mut x: u64) -> u64 {
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }
}
