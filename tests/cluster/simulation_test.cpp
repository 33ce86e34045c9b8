#define CAF_SUITE simulation

#include "tests/cluster/simulation/simulation.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit::cluster;
using namespace tobit::cluster::simulation;

namespace {

constexpr std::uint64_t seeds = 300;

/// What the first run up to this seed that violates something says; empty if all are fine.
std::string first_violation(mutation broken, std::uint64_t at_most) {
  register_cluster_messages();
  for (std::uint64_t seed = 1; seed <= at_most; ++seed) {
    const auto r = run_seed(seed, broken);
    if (!r.violation) continue;
    CAF_MESSAGE(std::string{to_string(broken)} << ": seed " << seed << " " << *r.violation);
    return *r.violation;
  }
  return {};
}

bool noticed(mutation broken, std::uint64_t at_most, const std::string& words) {
  return first_violation(broken, at_most).find(words) != std::string::npos;
}

} // namespace

CAF_TEST(nothing is lost or doubled whatever happens to nodes network and database) {
  CAF_MESSAGE("replay a seed: ./dev sim --seed N");
  CAF_CHECK_EQUAL(first_violation(mutation::none, seeds), "");
}

CAF_TEST(a seed replays exactly) {
  register_cluster_messages();
  for (const std::uint64_t seed : {3u, 11u}) {
    const auto once = run_seed(seed), again = run_seed(seed);
    CAF_CHECK_EQUAL(once.steps, again.steps);
    CAF_CHECK_EQUAL(once.at, again.at);
    CAF_CHECK_EQUAL(once.succeeded, again.succeeded);
  }
}

CAF_TEST(without faults every request succeeds) {
  register_cluster_messages();
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    run_options options;
    options.seed = seed;
    options.faults = false;
    tobit::cluster::simulation::simulation one{options};
    const auto r = one.run();
    CAF_CHECK(!r.violation);
    CAF_CHECK_EQUAL(r.fenced, 0u);
    CAF_CHECK_EQUAL(r.buried, 0u);
    CAF_CHECK(r.succeeded + 3 >= r.requests); // the last ones are still under way
  }
}

// A checker that cannot fail proves nothing: each of these mistakes has to be found.

CAF_TEST(the checker notices a node that does not fence itself) {
  CAF_CHECK(noticed(mutation::no_self_fencing, 30, "after its lease"));
}

CAF_TEST(the checker notices writes without the epoch of the shard) {
  CAF_CHECK(noticed(mutation::no_shard_fence, 100, "acted for a shard it had lost"));
}

CAF_TEST(the checker notices acts of the leader without its epoch) {
  CAF_CHECK(noticed(mutation::no_leader_fence, 100, "acted as leader without being it"));
}

CAF_TEST(the checker notices schedules that go by a wall clock) {
  CAF_CHECK(noticed(mutation::wall_clock_schedules, 30, "before it was due"));
}
