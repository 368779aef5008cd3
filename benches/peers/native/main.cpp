// The C++ peers, with the command `one` of the Rust program and its JSON line.
#include "onetbb.hpp"
#include "openmp.hpp"
#include <iomanip>
#include <iostream>
#include <map>
#include <oneapi/tbb/global_control.h>
#include <sstream>

static std::vector<Phases> measure(const std::string& peer, const Plan& plan, int threads, int repeats) {
  std::vector<Phases> phases;
  if (peer == "onetbb") {
    tbb::global_control limit(tbb::global_control::max_allowed_parallelism, threads);
    tbb::task_arena arena(threads);
    arena.execute([] {});
    for (int i = 0; i < repeats; i++) phases.push_back(onetbb(plan, arena));
  } else if (peer == "openmp") {
#pragma omp parallel num_threads(threads)
    asm volatile("");  // Starts the threads.
    for (int i = 0; i < repeats; i++) phases.push_back(openmp(plan, threads));
  } else {
    throw std::invalid_argument("no peer `" + peer + "`");
  }
  return phases;
}

template <class Time>
static std::string list(const std::vector<Phases>& phases, Time time) {
  std::ostringstream text;
  for (const Phases& p : phases) text << (text.tellp() > 0 ? "," : "[") << time(p);
  return text.str() + "]";
}

static int run(const std::vector<std::string>& words) {
  if (words.size() < 3 || words[0] != "one") throw std::invalid_argument("usage: peers one PEER WORKLOAD");
  std::map<std::string, uint64_t> options;
  for (size_t i = 3; i + 1 < words.size(); i += 2) options[words[i]] = std::stoull(words[i + 1]);
  auto option = [&](const char* name) -> std::optional<uint64_t> {
    auto found = options.find(name);
    return found == options.end() ? std::nullopt : std::optional(found->second);
  };
  int threads = (int)option("--threads").value_or(1);
  grain = option("--grain").value_or(0);
  Plan plan(words[2], Size{option("--scale").value_or(1), option("--nodes"), option("--steps")});

  uint64_t wanted_grain = std::exchange(grain, 0);
  std::vector<uint64_t> values(plan.nodes());
  for (size_t i = 0; i < plan.nodes(); i++) values[i] = value(plan, values.data(), i);
  uint64_t checksum = plan.checksum(values);
  grain = wanted_grain;

  double before = grain > 0 ? peak(threads) : 0;
  auto phases = measure(words[1], plan, threads, (int)option("--repeats").value_or(2));
  double best = grain > 0 ? std::min(before, peak(threads)) : 0;
  bool ok = std::all_of(phases.begin(), phases.end(), [&](auto& p) { return p.checksum == checksum; });
  std::cout << "{\"peer\":\"" << words[1] << "\",\"workload\":\"" << words[2] << "\",\"threads\":" << threads
            << ",\"grain\":" << grain << ",\"nodes\":" << plan.nodes() << ",\"edges\":" << plan.edges()
            << ",\"build\":" << list(phases, [](auto& p) { return p.build.wall; })
            << ",\"run\":" << list(phases, [](auto& p) { return p.run.wall; })
            << ",\"drop\":" << list(phases, [](auto& p) { return p.drop.wall; })
            << ",\"cpu\":" << list(phases, [](auto& p) { return p.build.cpu + p.run.cpu + p.drop.cpu; })
            << ",\"peak\":" << best << ",\"hash\":\"" << std::hex << std::setw(16) << std::setfill('0')
            << plan.hash() << "\",\"ok\":" << (ok ? "true" : "false") << "}" << std::endl;
  return 0;
}

int main(int count, char** words) {
  try {
    return run({words + 1, words + count});
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << std::endl;
    return 1;
  }
}
