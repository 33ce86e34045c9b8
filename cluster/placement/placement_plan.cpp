#include "cluster/placement/placement_plan.hpp"

#include "cluster/placement/rendezvous.hpp"

namespace tobit::cluster {

const shard_taker* best_taker(const std::vector<shard_taker>& takers, shard_id shard) {
  const shard_taker* best = nullptr;
  std::uint64_t most = 0;
  for (const auto& taker : takers) {
    const auto weight = rendezvous_weight(taker.node, shard);
    if (best && weight <= most) continue;
    best = &taker;
    most = weight;
  }
  return best;
}

std::vector<shard_taker> takers_of(const member_table& members, incarnation_no self, incarnation_no without,
                                   steady_time now) {
  std::vector<shard_taker> reachable, all;
  for (const auto& [id, m] : members.all()) {
    if (id == without || m.row.draining || (id != self && m.row.lease_left.count() <= 0)) continue;
    all.push_back({id, m.row.node});
    if (id == self || !members.cut_off(m, now)) reachable.push_back({id, m.row.node});
  }
  return reachable.empty() ? all : reachable;
}

std::vector<assignment> plan_assignments(const shard_map& map, const member_table& members,
                                         const std::vector<shard_taker>& takers, incarnation_no buried,
                                         std::size_t at_most) {
  std::vector<assignment> plan;
  for (shard_id shard = 0; shard < map.size() && plan.size() < at_most; ++shard) {
    const auto& row = map.at(shard);
    const bool of_buried = buried != 0 && row.incarnation == buried;
    if (!of_buried && row.incarnation != 0 && !members.gone(row.incarnation)) continue;
    if (const auto* taker = best_taker(takers, shard))
      plan.push_back({shard, row.epoch + (of_buried ? 1 : 0), taker->incarnation});
  }
  return plan;
}

std::vector<assignment> plan_targets(const shard_map& map, const member_table& members,
                                     const std::vector<shard_taker>& takers, std::size_t at_once) {
  std::size_t under_way = 0;
  for (shard_id shard = 0; shard < map.size(); ++shard) under_way += map.at(shard).target != 0;
  std::vector<assignment> plan;
  for (shard_id shard = 0; shard < map.size(); ++shard) {
    const auto& row = map.at(shard);
    const auto* taker = best_taker(takers, shard);
    if (!taker || row.incarnation == 0 || !members.find(row.incarnation)) continue;
    const auto target = taker->incarnation == row.incarnation ? 0 : taker->incarnation;
    if (target == row.target) continue;
    if (row.target == 0 && ++under_way > at_once) continue;
    plan.push_back({shard, row.epoch, target});
  }
  return plan;
}

} // namespace tobit::cluster
