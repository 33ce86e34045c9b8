#include "cluster/leadership/leader_duties.hpp"

#include "cluster/placement/placement_plan.hpp"

#include <algorithm>

namespace tobit::cluster {

leader_duties::news leader_duties::take(const database_answer& answer, cluster_step& step) {
  if (answer.id != command_ || command_ == 0) return news::not_mine;
  command_ = 0;
  const auto buried = std::exchange(burying_, 0);
  if (buried != 0 && answer.result == outcome::done)
    step.say(node_report{node_report::kind::buried, buried, leading_, "A node was declared dead; its shards go on."});
  if (answer.result == outcome::done) {
    // Rows that were not as expected stayed as they are: what is known here is out of date.
    stale_ = answer.changed.size() < std::exchange(rows_wanted_, 0);
    return stale_ ? news::look : buried != 0 ? news::buried : news::done;
  }
  if (answer.result == outcome::refused && answer.why == refusal::not_leader) return news::deposed;
  if (answer.result == outcome::refused && answer.why == refusal::node_alive) return news::done;
  stale_ = true;
  return news::look;
}

void leader_duties::advance(incarnation_no self, epoch_no leading, const member_table& members, const shard_map& map,
                            cluster_step& step) {
  if (leading != leading_) reset();
  leading_ = leading;
  if (leading_ == 0) return;
  watch_moves(map, step.now);
  if (command_ != 0 || stale_) return;
  if (bury_one(self, members, map, step)) return;
  const auto takers = takers_of(members, self, 0, step.now);
  auto assignments = plan_assignments(map, members, takers, 0, times_.assign_at_once);
  if (assignments.empty()) assignments = overdue_moves(map, members, step.now);
  if (!assignments.empty()) {
    rows_wanted_ = assignments.size();
    command_ = step.ask(assign_shards{self, leading_, std::move(assignments)});
    return;
  }
  auto moves = plan_targets(map, members, takers, times_.moves_at_once);
  if (moves.empty()) return;
  rows_wanted_ = moves.size();
  command_ = step.ask(plan_moves{self, leading_, std::move(moves)});
}

bool leader_duties::bury_one(incarnation_no self, const member_table& members, const shard_map& map,
                             cluster_step& step) {
  std::erase_if(suspicions_, [&](const auto& s) { return !members.find(s.first); });
  for (const auto& [id, m] : members.all()) {
    if (id == self) continue;
    const bool lapsed = m.row.lease_left.count() <= 0, cut_off = members.cut_off(m, step.now);
    if (!lapsed && !cut_off) {
      suspicions_.erase(id);
      continue;
    }
    auto& s = suspicions_.try_emplace(id, suspicion{step.now, {}}).first->second;
    if (step.now < s.ask_at) continue;
    s.patience = std::clamp<std::chrono::microseconds>(s.patience * 2, times_.probe_first, times_.probe_most);
    s.ask_at = step.now + s.patience;
    const auto takers = takers_of(members, self, id, step.now);
    burying_ = id;
    rows_wanted_ = 0;
    command_ = step.ask(
        bury_node{self, leading_, id, cut_off, plan_assignments(map, members, takers, id, times_.assign_at_once)});
    return true;
  }
  return false;
}

void leader_duties::watch_moves(const shard_map& map, steady_time now) {
  for (shard_id shard = 0; shard < map.size(); ++shard) {
    const auto& row = map.at(shard);
    if (row.target == 0) {
      moves_.erase(shard);
      continue;
    }
    auto& known = moves_.try_emplace(shard, move{row.epoch, row.target, now}).first->second;
    if (known.epoch != row.epoch || known.target != row.target) known = {row.epoch, row.target, now};
  }
}

std::vector<assignment> leader_duties::overdue_moves(const shard_map& map, const member_table& members,
                                                     steady_time now) const {
  std::vector<assignment> overdue;
  for (const auto& [shard, m] : moves_)
    if (now >= m.since + times_.hand_over && members.find(m.target))
      overdue.push_back({shard, map.at(shard).epoch, m.target});
  return overdue;
}

void leader_duties::reset() {
  leading_ = 0;
  command_ = 0;
  burying_ = 0;
  stale_ = false;
  suspicions_.clear();
  moves_.clear();
}

void leader_duties::wake(std::optional<steady_time>& earliest) const {
  if (leading_ == 0 || command_ != 0 || stale_) return;
  for (const auto& [id, s] : suspicions_) wake_by(earliest, s.ask_at);
  for (const auto& [shard, m] : moves_) wake_by(earliest, m.since + times_.hand_over);
}

} // namespace tobit::cluster
