#pragma once

#include "cluster/membership/member_table.hpp"
#include "cluster/placement/shard_map.hpp"

#include <string>
#include <vector>

namespace tobit::cluster {

/// A node that shards may be given to.
struct shard_taker {
  incarnation_no incarnation = 0;
  std::string node;
};

/// Where a shard should be; null if there is nobody.
const shard_taker* best_taker(const std::vector<shard_taker>& takers, shard_id shard);

/// The members that take shards: up, neither draining nor without a lease. Those that this node cannot reach are left
/// out as long as there are others, since they may be about to be buried.
std::vector<shard_taker> takers_of(const member_table& members, incarnation_no self, incarnation_no without,
                                   steady_time now);

/// Shards of nobody (and of `buried`, whose rows have one epoch more by then), each for its best taker.
std::vector<assignment> plan_assignments(const shard_map& map, const member_table& members,
                                         const std::vector<shard_taker>& takers, incarnation_no buried,
                                         std::size_t at_most);

/// Targets that should be set, changed or taken back, so that in the end every shard is with its best taker. At most
/// `at_once` shards are under way at a time.
std::vector<assignment> plan_targets(const shard_map& map, const member_table& members,
                                     const std::vector<shard_taker>& takers, std::size_t at_once);

} // namespace tobit::cluster
