// OpenMP tasks with `depend`: building and running cannot be told apart.
#pragma once
#include "clock.hpp"
#include "kernel.hpp"

inline Phases openmp(const Plan& plan, int threads) {
  Phases phases;
  std::vector<uint64_t> all(plan.nodes());
  uint64_t* values = all.data();
  phases.run = timed([&] {
#pragma omp parallel num_threads(threads)
#pragma omp single
    for (size_t i = 0; i < plan.nodes(); i++) {
      const uint32_t* in = plan.inputs(i);
      size_t count = plan.count(i);
      // Lists of a known length are cheaper than an iterator.
      if (count == 0) {
#pragma omp task depend(out : values[i]) firstprivate(i)
        values[i] = value(plan, values, i);
      } else if (count == 1) {
#pragma omp task depend(out : values[i]) depend(in : values[in[0]]) firstprivate(i)
        values[i] = value(plan, values, i);
      } else if (count == 2) {
#pragma omp task depend(out : values[i]) depend(in : values[in[0]], values[in[1]]) firstprivate(i)
        values[i] = value(plan, values, i);
      } else if (count == 3) {
#pragma omp task depend(out : values[i]) depend(in : values[in[0]], values[in[1]], values[in[2]]) firstprivate(i)
        values[i] = value(plan, values, i);
      } else {
#pragma omp task depend(out : values[i]) depend(iterator(size_t k = 0 : count), in : values[in[k]]) firstprivate(i)
        values[i] = value(plan, values, i);
      }
    }
  });
  phases.checksum = plan.checksum(all);
  return phases;
}
