"""The plans of src/plan.rs, src/workload.rs and src/task_bench.rs, node for node."""

from math import isqrt

MASK = (1 << 64) - 1
STEP = 0x9E3779B97F4A7C15


def mix(x):
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def fraction(key):
    return (mix((key * STEP) & MASK) >> 11) / (1 << 53)


def splitmix64(state):
    while True:
        state = (state + STEP) & MASK
        yield mix(state)


class Plan:
    def __init__(self, workload, scale, nodes, steps):
        self.inputs, self.biases = [], []

        def size(usual):
            return max(nodes if nodes is not None else usual // scale, 4)

        if workload == "chain":
            self.chain(size(100_000))
        elif workload == "wide":
            self.reduce(self.leaves(size(100_000)), 16)
        elif workload == "loop256":
            self.loop256()
        elif workload == "tree":
            self.reduce(self.leaves(size(1 << 18) // 2), 2)
        elif workload == "wavefront":
            self.wavefront(isqrt(size(316 * 316)))
        elif workload == "random":
            self.random(size(100_000))
        else:
            pattern, width = workload.rsplit("_", 1)
            self.task_bench(pattern, int(width), max(steps if steps is not None else 1000 // scale, 2))
        used = {i for inputs in self.inputs for i in inputs}
        self.sinks = [i for i in range(len(self.biases)) if i not in used]

    def node(self, inputs, bias):
        self.inputs.append(inputs)
        self.biases.append(bias)
        return len(self.biases) - 1

    def leaves(self, count):
        return [self.node([], bias) for bias in range(count)]

    def reduce(self, layer, fan_in):
        while len(layer) > 1:
            chunks = [layer[i : i + fan_in] for i in range(0, len(layer), fan_in)]
            layer = [c[0] if len(c) == 1 else self.node(c, 0) for c in chunks]

    def chain(self, nodes):
        last = self.node([], 1)
        for _ in range(1, nodes):
            last = self.node([last], 1)

    def loop256(self):
        sums = []
        for i in range(256):
            x = self.node([], i + 1)
            y = self.node([x], MASK)
            sums.append(self.node([x, y], 0))
        self.reduce(sums, 2)

    def wavefront(self, side):
        for row in range(side):
            for column in range(side):
                here = row * side + column
                self.node([here - side] * (row > 0) + [here - 1] * (column > 0), 1)

    def random(self, nodes):
        random = splitmix64(42)
        for i in range(nodes):
            inputs = []
            for _ in range(min(next(random) % 5, i)):
                j = i - 1 - next(random) % min(i, 1000)
                if j not in inputs:
                    inputs.append(j)
            self.node(inputs, i)

    def task_bench(self, pattern, width, steps):
        before = []
        for step in range(steps):
            row = []
            for point in range(min(width, 1 << min(step, 62)) if pattern == "tree" else width):
                needs = needed(pattern, step, point, width) if step else []
                row.append(self.node([before[p] for p in needs], step * width + point))
            before = row

    def hash(self):
        value = 0xCBF29CE484222325
        for inputs, bias in zip(self.inputs, self.biases):
            for x in (bias, len(inputs), *inputs):
                value = ((value ^ x) * 0x100000001B3) & MASK
        return value

    def checksum(self, values):
        """Of the values of the sinks."""
        return sum(value * (2 * sink + 1) for sink, value in zip(self.sinks, values)) & MASK


def needed(pattern, step, point, width):
    """The points of the row before that a point needs."""
    near = range(max(0, point - 2), min(point + 2, width - 1) + 1)
    if pattern == "stencil":
        return [p for p in near if abs(p - point) <= 1]
    if pattern == "fft":
        rounds = (width - 1).bit_length()
        distance = 1 << (step + rounds - 1) % rounds
        return [p for p in (point - distance, point, point + distance) if 0 <= p < width]
    if pattern == "nearest":
        phase = step % 3
        return [p for p in near if p == point or fraction(phase << 32 | p << 16 | point) < 0.25]
    if pattern == "spread":
        spread = [(point + i * width // 5 + (step % 3 if i else 0)) % width for i in range(5)]
        return list(dict.fromkeys(spread))
    if pattern == "tree":
        return [point // 2]
    if pattern == "all_to_all":
        return list(range(width))
    raise SystemExit(f"error: no workload `{pattern}`")
