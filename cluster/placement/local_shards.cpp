#include "cluster/placement/local_shards.hpp"

#include <algorithm>
#include <utility>

namespace tobit::cluster {

void local_shards::follow(const shard_place& row, incarnation_no self, cluster_step& step) {
  const auto shard = static_cast<shard_id>(row.shard);
  const bool mine = self != 0 && row.incarnation == self;
  auto found = shards_.find(shard);
  if (found != shards_.end() && (!mine || found->second.epoch != row.epoch)) {
    if (found->second.is != local::state::handing_over) step.say(abandon_shard{shard, found->second.epoch});
    shards_.erase(found);
    found = shards_.end();
  }
  if (!mine) return;
  if (found == shards_.end()) {
    found = shards_.emplace(shard, local{.epoch = row.epoch}).first;
    step.say(activate_shard{shard, row.epoch});
  }
  if (row.target != 0 && found->second.is == local::state::active) {
    stop(shard, found->second, step);
  }
}

void local_shards::stop(shard_id shard, local& s, cluster_step& step) {
  s.is = local::state::stopping;
  s.try_at = step.now + times_.hand_over;
  step.say(stop_shard{shard, s.epoch});
}

void local_shards::stopped(shard_id shard, epoch_no epoch, cluster_step& step) {
  auto found = shards_.find(shard);
  if (found == shards_.end() || found->second.epoch != epoch || found->second.is != local::state::stopping) return;
  found->second.is = local::state::handing_over;
  found->second.try_at = step.now;
}

bool local_shards::take(const database_answer& answer, bool& lost, cluster_step& step) {
  auto found =
      std::find_if(shards_.begin(), shards_.end(), [&](const auto& s) { return s.second.command == answer.id; });
  if (found == shards_.end()) return false;
  found->second.command = 0;
  found->second.try_at = step.now + times_.retry;
  lost = answer.result == outcome::refused;
  return true;
}

void local_shards::advance(incarnation_no self, cluster_step& step) {
  for (auto& [shard, s] : shards_) {
    if (s.is == local::state::active || s.command != 0 || step.now < s.try_at) continue;
    // What does not stop in time is ended; its journal has everything that was acknowledged.
    if (std::exchange(s.is, local::state::handing_over) == local::state::stopping)
      step.say(abandon_shard{shard, s.epoch});
    s.command = step.ask(hand_over_shard{self, shard, s.epoch});
  }
}

void local_shards::stop_all(cluster_step& step) {
  for (auto& [shard, s] : shards_) {
    if (s.is != local::state::active) continue;
    stop(shard, s, step);
  }
}

void local_shards::abandon_running(cluster_step& step) {
  for (auto& [shard, s] : shards_)
    if (std::exchange(s.is, local::state::handing_over) != local::state::handing_over)
      step.say(abandon_shard{shard, s.epoch});
}

void local_shards::abandon_all(cluster_step& step) {
  abandon_running(step);
  shards_.clear();
}

void local_shards::wake(std::optional<steady_time>& earliest) const {
  for (const auto& [shard, s] : shards_)
    if (s.is != local::state::active && s.command == 0) wake_by(earliest, s.try_at);
}

epoch_no local_shards::active(shard_id shard) const {
  auto found = shards_.find(shard);
  return found != shards_.end() && found->second.is == local::state::active ? found->second.epoch : 0;
}

bool local_shards::any_running() const {
  return std::any_of(shards_.begin(), shards_.end(),
                     [](const auto& s) { return s.second.is != local::state::handing_over; });
}

} // namespace tobit::cluster
