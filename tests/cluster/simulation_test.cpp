#define CAF_SUITE simulation

#include "tests/cluster/simulation/simulation.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit::cluster;
using namespace tobit::cluster::simulation;

namespace {

constexpr std::uint64_t seeds = 300;

/// The first seed up to `at_most` whose run violates something.
std::optional<std::uint64_t> first_failure(mutation broken, std::uint64_t at_most) {
  for (std::uint64_t seed = 1; seed <= at_most; ++seed) {
    const auto r = run_seed(seed, broken);
    if (!r.violation) continue;
    CAF_MESSAGE(to_string(broken) << ": seed " << seed << " " << *r.violation);
    return seed;
  }
  return std::nullopt;
}

} // namespace

CAF_TEST(nothing is lost or doubled whatever happens to nodes network and database) {
  const auto failed = first_failure(mutation::none, seeds);
  if (failed) CAF_MESSAGE("replay: ./dev sim --seed " << *failed);
  CAF_CHECK(!failed);
}

CAF_TEST(a seed replays exactly) {
  for (const std::uint64_t seed : {3u, 11u}) {
    const auto once = run_seed(seed), again = run_seed(seed);
    CAF_CHECK_EQUAL(once.steps, again.steps);
    CAF_CHECK_EQUAL(once.at, again.at);
    CAF_CHECK_EQUAL(once.succeeded, again.succeeded);
  }
}

CAF_TEST(without faults every request succeeds) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    run_options options;
    options.seed = seed;
    options.faults = false;
    tobit::cluster::simulation::simulation one{options};
    const auto r = one.run();
    CAF_CHECK(!r.violation);
    CAF_CHECK_EQUAL(r.fenced, 0u);
    CAF_CHECK_EQUAL(r.buried, 0u);
    CAF_CHECK_EQUAL(r.succeeded, r.requests);
  }
}

// A checker that cannot fail proves nothing: each of these mistakes has to be found.

CAF_TEST(the checker notices a node that does not fence itself) {
  CAF_CHECK(first_failure(mutation::no_self_fencing, 30).has_value());
}

CAF_TEST(the checker notices writes without the epoch of the shard) {
  CAF_CHECK(first_failure(mutation::no_shard_fence, 100).has_value());
}

CAF_TEST(the checker notices acts of the leader without its epoch) {
  CAF_CHECK(first_failure(mutation::no_leader_fence, 100).has_value());
}

CAF_TEST(the checker notices schedules that go by a wall clock) {
  CAF_CHECK(first_failure(mutation::wall_clock_schedules, 30).has_value());
}
