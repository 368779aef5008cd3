// What a node does: see src/kernel.rs.
#pragma once
#include "plan.hpp"
#include <chrono>
#include <immintrin.h>
#include <thread>

inline uint64_t grain = 0;

__attribute__((target("avx2,fma"), noinline)) inline void spin(uint64_t times) {
  asm volatile("" : "+r"(times));
  __m256d lanes[16];
  for (auto& x : lanes) x = _mm256_set_pd(1, 2, 3, 4);
  for (uint64_t i = 0; i < times; i++)
    for (auto& x : lanes) x = _mm256_fmadd_pd(x, x, x);
  __m256d sum = _mm256_setzero_pd();
  for (auto& x : lanes) sum = _mm256_add_pd(sum, x);
  double result = _mm256_cvtsd_f64(sum);
  asm volatile("" : : "x"(result));
}

// The value of a node whose inputs have theirs.
inline uint64_t value(const Plan& plan, const uint64_t* values, size_t node) {
  uint64_t sum = plan.biases[node];
  const uint32_t* inputs = plan.inputs(node);
  for (size_t i = 0, count = plan.count(node); i < count; i++) sum += values[inputs[i]];
  if (grain > 0) spin(grain);
  return sum;
}

// The shortest time for a grain of one, in nanoseconds, while `threads` threads run it at once.
inline double peak(int threads) {
  constexpr uint64_t times = 50000;
  std::vector<double> best(threads, INFINITY);
  std::vector<std::thread> running;
  for (double& mine : best)
    running.emplace_back([&mine] {
      for (int i = 0; i < 40; i++) {
        auto begin = std::chrono::steady_clock::now();
        spin(times);
        std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
        mine = std::min(mine, took.count() / times);
      }
    });
  double sum = 0;
  for (int i = 0; i < threads; i++) {
    running[i].join();
    sum += best[i];
  }
  return sum / threads;
}
