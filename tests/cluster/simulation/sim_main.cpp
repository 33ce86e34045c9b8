// `./dev sim`: many seeds of the cluster's simulation, or one with its trace.
#include "tests/cluster/simulation/simulation.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

using namespace tobit::cluster;
using namespace tobit::cluster::simulation;

namespace {

mutation mutation_named(const std::string& name) {
  for (int m = 0; m <= static_cast<int>(mutation::wall_clock_schedules); ++m)
    if (to_string(static_cast<mutation>(m)) == name) return static_cast<mutation>(m);
  std::fprintf(stderr, "sim: unknown mutation '%s'\n", name.c_str());
  std::exit(2);
}

[[noreturn]] void usage() {
  std::fputs("sim [--seeds N] [--from SEED]   run N seeds (default 1000) from SEED (default 1)\n"
             "sim --seed SEED                 run one seed and print what happens\n"
             "    [--mutation NAME]           with a mistake built in: no_self_fencing, no_shard_fence,\n"
             "                                no_leader_fence, wall_clock_schedules\n",
             stderr);
  std::exit(2);
}

} // namespace

int main(int argc, char** argv) {
  register_cluster_messages();
  std::uint64_t seeds = 1'000, from = 1, only = 0;
  auto broken = mutation::none;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (i + 1 == argc) usage();
    const std::string value = argv[++i];
    if (option == "--seeds")
      seeds = std::strtoull(value.c_str(), nullptr, 10);
    else if (option == "--from")
      from = std::strtoull(value.c_str(), nullptr, 10);
    else if (option == "--seed")
      only = std::strtoull(value.c_str(), nullptr, 10);
    else if (option == "--mutation")
      broken = mutation_named(value);
    else
      usage();
  }
  if (only != 0) {
    const auto r = run_seed(only, broken, true);
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(only), r.violation ? r.violation->c_str() : "ok");
    return r.violation ? 1 : 0;
  }
  const auto began = std::chrono::steady_clock::now();
  run_result sum;
  std::vector<sim_time> settled;
  sim_time simulated = 0;
  std::uint64_t done = 0;
  for (auto seed = from; seed < from + seeds; ++seed, ++done) {
    const auto r = run_seed(seed, broken);
    if (r.violation) {
      std::printf("FAILED seed %llu at %.6f s: %s\nreplay: ./dev sim --seed %llu%s%s\n",
                  static_cast<unsigned long long>(seed), static_cast<double>(r.at) / 1e6, r.violation->c_str(),
                  static_cast<unsigned long long>(seed), broken == mutation::none ? "" : " --mutation ",
                  broken == mutation::none ? "" : std::string{to_string(broken)}.c_str());
      return 1;
    }
    sum.steps += r.steps, sum.requests += r.requests, sum.succeeded += r.succeeded, sum.ticks += r.ticks;
    sum.fenced += r.fenced, sum.buried += r.buried, sum.leaders += r.leaders, sum.moves += r.moves;
    simulated += r.at;
    settled.push_back(r.settled_after);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::sort(settled.begin(), settled.end());
  const auto quantile = [&](double q) {
    return settled.empty()
               ? 0.0
               : static_cast<double>(settled[static_cast<std::size_t>(q * static_cast<double>(settled.size() - 1))]) /
                     1e6;
  };
  const auto n = [](std::uint64_t v) { return static_cast<unsigned long long>(v); };
  std::printf("%llu seeds without a violation in %.1f s: %.1f seeds/s, %.1f hours simulated, %.2f M steps\n", n(done),
              took.count(), static_cast<double>(done) / took.count(), static_cast<double>(simulated) / 3.6e9,
              static_cast<double>(sum.steps) / 1e6);
  std::printf("%llu requests (%.1f %% served, the others answered with an error), %llu ticks, %llu leaders, %llu "
              "self-fencings, "
              "%llu burials, %llu changes of shard rows\n",
              n(sum.requests),
              100.0 * static_cast<double>(sum.succeeded) /
                  static_cast<double>(std::max<std::uint64_t>(1, sum.requests)),
              n(sum.ticks), n(sum.leaders), n(sum.fenced), n(sum.buried), n(sum.moves));
  std::printf("settled after the last fault: p50 %.2f s, p99 %.2f s, longest %.2f s\n", quantile(0.5), quantile(0.99),
              quantile(1));
  return 0;
}
