// The plans of src/plan.rs, src/workload.rs and src/task_bench.rs, node for node.
#pragma once
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

struct Size {
  size_t scale = 1;
  std::optional<size_t> nodes, steps;

  size_t nodes_or(size_t usual) const { return std::max<size_t>(nodes.value_or(usual / scale), 4); }
  size_t steps_or_usual() const { return std::max<size_t>(steps.value_or(1000 / scale), 2); }
};

// splitmix64
struct Random {
  static constexpr uint64_t step = 0x9e3779b97f4a7c15;
  uint64_t state;

  static uint64_t mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }
  uint64_t next() { return mix(state += step); }
  static double fraction(uint64_t key) { return (double)(mix(key * step) >> 11) / (double)(1ull << 53); }
};

class Plan {
 public:
  std::vector<uint64_t> biases;
  std::vector<uint32_t> sinks;

  Plan(const std::string& workload, Size size) {
    if (workload == "chain") {
      chain(size.nodes_or(100000));
    } else if (workload == "wide") {
      reduce(leaves(size.nodes_or(100000)), 16);
    } else if (workload == "loop256") {
      loop256();
    } else if (workload == "tree") {
      reduce(leaves(size.nodes_or(1 << 18) / 2), 2);
    } else if (workload == "wavefront") {
      wavefront((uint32_t)std::sqrt((double)size.nodes_or(316 * 316)));
    } else if (workload == "random") {
      random(size.nodes_or(100000));
    } else {
      task_bench(workload, (long)size.steps_or_usual());
    }
    std::vector<uint32_t> consumers(nodes());
    for (uint32_t input : all_inputs) consumers[input]++;
    for (uint32_t node = 0; node < nodes(); node++)
      if (consumers[node] == 0) sinks.push_back(node);
  }

  size_t nodes() const { return biases.size(); }
  size_t edges() const { return all_inputs.size(); }
  size_t count(size_t node) const { return offsets[node + 1] - offsets[node]; }
  const uint32_t* inputs(size_t node) const { return all_inputs.data() + offsets[node]; }

  uint64_t hash() const {
    uint64_t hash = 0xcbf29ce484222325;
    auto add = [&](uint64_t x) { hash = (hash ^ x) * 0x100000001b3; };
    for (size_t node = 0; node < nodes(); node++) {
      add(biases[node]);
      add(count(node));
      std::for_each_n(inputs(node), count(node), add);
    }
    return hash;
  }

  uint64_t checksum(const std::vector<uint64_t>& values) const {
    uint64_t sum = 0;
    for (uint64_t sink : sinks) sum += values[sink] * (2 * sink + 1);
    return sum;
  }

 private:
  std::vector<uint32_t> all_inputs, offsets{0};

  uint32_t node(const std::vector<uint32_t>& inputs, uint64_t bias) {
    all_inputs.insert(all_inputs.end(), inputs.begin(), inputs.end());
    offsets.push_back((uint32_t)all_inputs.size());
    biases.push_back(bias);
    return (uint32_t)biases.size() - 1;
  }

  std::vector<uint32_t> leaves(size_t count) {
    std::vector<uint32_t> leaves;
    for (uint64_t bias = 0; bias < count; bias++) leaves.push_back(node({}, bias));
    return leaves;
  }

  void reduce(std::vector<uint32_t> layer, size_t fan_in) {
    while (layer.size() > 1) {
      std::vector<uint32_t> next;
      for (size_t i = 0; i < layer.size(); i += fan_in) {
        auto first = layer.begin() + i;
        std::vector<uint32_t> chunk(first, first + std::min(fan_in, layer.size() - i));
        next.push_back(chunk.size() == 1 ? chunk[0] : node(chunk, 0));
      }
      layer = next;
    }
  }

  void chain(size_t nodes) {
    uint32_t last = node({}, 1);
    for (size_t i = 1; i < nodes; i++) last = node({last}, 1);
  }

  void loop256() {
    std::vector<uint32_t> sums;
    for (uint64_t i = 0; i < 256; i++) {
      uint32_t x = node({}, i + 1), y = node({x}, ~0ull);
      sums.push_back(node({x, y}, 0));
    }
    reduce(sums, 2);
  }

  void wavefront(uint32_t side) {
    for (uint32_t row = 0; row < side; row++)
      for (uint32_t column = 0; column < side; column++) {
        uint32_t here = row * side + column;
        std::vector<uint32_t> inputs;
        if (row > 0) inputs.push_back(here - side);
        if (column > 0) inputs.push_back(here - 1);
        node(inputs, 1);
      }
  }

  void random(uint64_t nodes) {
    Random random{42};
    for (uint64_t i = 0; i < nodes; i++) {
      std::vector<uint32_t> inputs;
      for (uint64_t left = std::min(random.next() % 5, i); left > 0; left--) {
        auto input = (uint32_t)(i - 1 - random.next() % std::min<uint64_t>(i, 1000));
        if (std::find(inputs.begin(), inputs.end(), input) == inputs.end()) inputs.push_back(input);
      }
      node(inputs, i);
    }
  }

  void task_bench(const std::string& workload, long steps) {
    size_t cut = workload.rfind('_');
    if (cut == std::string::npos) throw std::invalid_argument("no workload `" + workload + "`");
    std::string pattern = workload.substr(0, cut);
    long width = std::stol(workload.substr(cut + 1));
    std::vector<uint32_t> before;
    for (long step = 0; step < steps; step++) {
      std::vector<uint32_t> row;
      long points = pattern == "tree" ? std::min(width, 1l << std::min(step, 62l)) : width;
      for (long point = 0; point < points; point++) {
        std::vector<uint32_t> inputs;
        if (step > 0)
          for (long p : needs(pattern, step, point, width)) inputs.push_back(before[p]);
        row.push_back(node(inputs, step * width + point));
      }
      before = row;
    }
  }

  static std::vector<long> needs(const std::string& pattern, long step, long point, long width) {
    std::vector<long> needs;
    if (pattern == "stencil") {
      for (long p = std::max(0l, point - 1); p <= std::min(point + 1, width - 1); p++) needs.push_back(p);
    } else if (pattern == "fft") {
      long rounds = std::bit_width((unsigned long)width - 1);
      long distance = 1l << ((step + rounds - 1) % rounds);
      for (long p : {point - distance, point, point + distance})
        if (0 <= p && p < width) needs.push_back(p);
    } else if (pattern == "nearest") {
      for (long p = std::max(0l, point - 2); p <= std::min(point + 2, width - 1); p++) {
        uint64_t key = (uint64_t)(step % 3) << 32 | (uint64_t)p << 16 | (uint64_t)point;
        if (p == point || Random::fraction(key) < 0.25) needs.push_back(p);
      }
    } else if (pattern == "spread") {
      for (long i = 0; i < 5; i++) {
        long p = (point + i * width / 5 + (i > 0 ? step % 3 : 0)) % width;
        if (std::find(needs.begin(), needs.end(), p) == needs.end()) needs.push_back(p);
      }
    } else if (pattern == "tree") {
      needs.push_back(point / 2);
    } else if (pattern == "all_to_all") {
      for (long p = 0; p < width; p++) needs.push_back(p);
    } else {
      throw std::invalid_argument("no workload `" + pattern + "`");
    }
    return needs;
  }
};
