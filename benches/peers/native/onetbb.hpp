// oneTBB's flow graph: a `continue_node` for each node, an edge for each edge.
#pragma once
#include "clock.hpp"
#include "kernel.hpp"
#include <memory>
#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/task_arena.h>

inline Phases onetbb(const Plan& plan, tbb::task_arena& arena) {
  using namespace tbb::flow;
  using Node = continue_node<continue_msg>;
  Phases phases;
  std::vector<uint64_t> values(plan.nodes());
  arena.execute([&] {
    std::unique_ptr<graph> flow;
    std::vector<std::unique_ptr<Node>> nodes;
    std::vector<Node*> roots;
    phases.build = timed([&] {
      flow = std::make_unique<graph>();
      nodes.reserve(plan.nodes());
      for (size_t i = 0; i < plan.nodes(); i++) {
        auto body = [&plan, values = values.data(), i](const continue_msg&) { values[i] = value(plan, values, i); };
        nodes.push_back(std::make_unique<Node>(*flow, body));
        for (size_t k = 0; k < plan.count(i); k++) make_edge(*nodes[plan.inputs(i)[k]], *nodes[i]);
        if (plan.count(i) == 0) roots.push_back(nodes[i].get());
      }
    });
    phases.run = timed([&] {
      for (Node* root : roots) root->try_put(continue_msg());
      flow->wait_for_all();
    });
    phases.drop = timed([&] {
      nodes.clear();
      flow.reset();
    });
  });
  phases.checksum = plan.checksum(values);
  return phases;
}
