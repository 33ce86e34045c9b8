#define CAF_SUITE placement

#include "cluster/placement/placement_plan.hpp"
#include "cluster/placement/rendezvous.hpp"
#include "cluster/placement/shard_map.hpp"

#include <caf/test/unit_test.hpp>

#include <map>

using namespace tobit;
using namespace tobit::cluster;

namespace {

constexpr shard_id shards = 256;

std::vector<shard_taker> takers(int count) {
  std::vector<shard_taker> all;
  for (int i = 1; i <= count; ++i) all.push_back({i, "node-" + std::to_string(i)});
  return all;
}

shard_place row(shard_id shard, incarnation_no owner, epoch_no epoch, cluster_version version) {
  return {shard, "x", owner, epoch, 0, version};
}

} // namespace

CAF_TEST(the weights are part of the protocol and never change) {
  CAF_CHECK_EQUAL(rendezvous_weight("node-1", 0), 986463002654245765u);
  CAF_CHECK_EQUAL(rendezvous_weight("node-1", 255), 14811832208360451237u);
}

CAF_TEST(shards are spread evenly) {
  for (int nodes = 2; nodes <= 5; ++nodes) {
    const auto all = takers(nodes);
    std::map<incarnation_no, int> share;
    for (shard_id s = 0; s < shards; ++s) ++share[best_taker(all, s)->incarnation];
    for (const auto& [node, count] : share) {
      CAF_CHECK(count > static_cast<int>(shards) / nodes / 2);
      CAF_CHECK(count < static_cast<int>(shards) * 3 / nodes / 2);
    }
  }
}

CAF_TEST(a node that joins takes its share and moves nothing else) {
  const auto before = takers(3), after = takers(4);
  int moved = 0;
  for (shard_id s = 0; s < shards; ++s) {
    const auto was = best_taker(before, s)->incarnation, is = best_taker(after, s)->incarnation;
    if (was == is) continue;
    ++moved;
    CAF_CHECK_EQUAL(is, 4);
  }
  CAF_CHECK(moved > 0 && moved < static_cast<int>(shards) / 2);
}

CAF_TEST(a node that comes back under a new incarnation gets its old shards) {
  auto now = takers(3);
  now[1].incarnation = 9;
  for (shard_id s = 0; s < shards; ++s) {
    const auto was = best_taker(takers(3), s)->incarnation, is = best_taker(now, s)->incarnation;
    CAF_CHECK_EQUAL(is, was == 2 ? 9 : was);
  }
}

CAF_TEST(a row replaces older rows only) {
  shard_map map;
  map.resize(2);
  CAF_CHECK(map.take(row(0, 1, 1, 5)));
  CAF_CHECK(!map.take(row(0, 2, 9, 4)));
  CAF_CHECK(!map.take(row(0, 2, 9, 5)));
  CAF_CHECK(!map.take(row(7, 1, 1, 9)));
  CAF_CHECK_EQUAL(map.at(0).incarnation, 1);
}

CAF_TEST(a gap in the changes is noticed) {
  shard_map map;
  map.caught_up(5);
  CAF_CHECK(map.changed(6));
  CAF_CHECK(!map.changed(8));
  CAF_CHECK_EQUAL(map.version(), 6);
  map.caught_up(8);
  CAF_CHECK(map.changed(7));
}
