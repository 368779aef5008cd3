// What is timed: see src/clock.rs.
#pragma once
#include <chrono>
#include <cstdint>
#include <ctime>

struct Span {
  uint64_t wall = 0, cpu = 0;
};

struct Phases {
  Span build, run, drop;
  uint64_t checksum = 0;
};

inline uint64_t cpu_now() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

template <class Work>
Span timed(Work work) {
  auto begin = std::chrono::steady_clock::now();
  uint64_t cpu = cpu_now();
  work();
  auto wall = std::chrono::steady_clock::now() - begin;
  return {(uint64_t)std::chrono::nanoseconds(wall).count(), cpu_now() - cpu};
}
