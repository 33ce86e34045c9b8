#include "tests/cluster/simulation/history_checker.hpp"

namespace tobit::cluster::simulation {

namespace {

std::string place(shard_id shard, epoch_no epoch) {
  return "shard " + std::to_string(shard) + " epoch " + std::to_string(epoch);
}

} // namespace

void history_checker::row_changed(const shard_place& before, const shard_place& after) {
  const auto shard = static_cast<shard_id>(after.shard);
  if (after.epoch < before.epoch) violated("the epoch fell: " + place(shard, after.epoch));
  if (after.incarnation != before.incarnation && after.epoch <= before.epoch)
    violated("the owner changed without a new epoch: " + place(shard, after.epoch));
  if (after.version < before.version) violated("the version of a row fell: " + place(shard, after.epoch));
  owners_[shard] = {after.epoch, after.incarnation};
}

void history_checker::leader_changed(epoch_no before, epoch_no after, incarnation_no holder) {
  if (after < before || (after == before && holder != 0))
    violated("the leadership changed without a new epoch: " + std::to_string(after));
  leader_ = {after, holder};
}

void history_checker::wrote(incarnation_no by, shard_id shard, epoch_no epoch) {
  const auto& owner = owners_[shard];
  if (owner.holder != by || owner.epoch != epoch)
    violated("incarnation " + std::to_string(by) + " acted for a shard it had lost: " + place(shard, epoch));
  if (actors_.try_emplace({shard, epoch}, by).first->second != by)
    violated("two nodes acted in one epoch: " + place(shard, epoch));
}

void history_checker::leader_acted(incarnation_no by, epoch_no epoch) {
  if (leader_.holder != by || leader_.epoch != epoch)
    violated("incarnation " + std::to_string(by) + " acted as leader without being it, epoch " + std::to_string(epoch));
  if (leaders_.try_emplace(epoch, by).first->second != by)
    violated("two leaders acted in epoch " + std::to_string(epoch));
}

void history_checker::act_begins(incarnation_no by, sim_time lease_until, sim_time now) {
  if (now >= lease_until) violated("incarnation " + std::to_string(by) + " began to act after its lease");
}

void history_checker::joined(incarnation_no id) {
  if (!incarnations_.insert(id).second) violated("incarnation " + std::to_string(id) + " was used twice");
}

void history_checker::activated(shard_id shard, epoch_no epoch, incarnation_no by) {
  if (!activations_.try_emplace({shard, epoch}, by).second)
    violated("an epoch was activated twice: " + place(shard, epoch));
}

void history_checker::led(epoch_no epoch, incarnation_no by) {
  if (leaders_.try_emplace(epoch, by).first->second != by) violated("two nodes led epoch " + std::to_string(epoch));
}

} // namespace tobit::cluster::simulation
