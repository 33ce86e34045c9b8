#include "tests/cluster/simulation/simulated_database.hpp"

namespace tobit::cluster::simulation {

namespace {

database_answer refuse(refusal why) {
  database_answer a;
  a.result = outcome::refused;
  a.why = why;
  return a;
}

database_answer done(cluster_version version = 0, std::vector<shard_place> changed = {}) {
  database_answer a;
  a.result = outcome::done;
  a.version = version;
  a.changed = std::move(changed);
  return a;
}

sim_time micros(std::chrono::milliseconds d) { return std::chrono::microseconds{d}.count(); }

} // namespace

database_answer simulated_database::execute(const database_command& command, session_no session, sim_time now) {
  return std::visit([&](const auto& c) { return run(c, session, now); }, command);
}

void simulated_database::session_ended(session_no session) {
  std::erase_if(locks_, [&](const auto& lock) { return lock.second == session; });
}

database_answer simulated_database::run(const register_node& c, session_no session, sim_time now) {
  if (c.profile.cluster_id != cluster_id_) return refuse(refusal::wrong_cluster);
  for (const auto& [id, n] : nodes_) {
    if (!n.alive()) continue;
    if (n.profile.settings != c.profile.settings) return refuse(refusal::settings_differ);
    if (n.profile.lowest_protocol > c.profile.highest_protocol ||
        n.profile.highest_protocol < c.profile.lowest_protocol)
      return refuse(refusal::protocol_incompatible);
    if (n.profile.node == c.profile.node && !provably_dead(id, true, now)) return refuse(refusal::name_in_use);
  }
  ++version_;
  std::vector<shard_place> changed;
  for (const auto& [id, n] : nodes_)
    if (n.alive() && n.profile.node == c.profile.node) bury(id, node::status::dead, changed);
  const auto self = ++last_incarnation_;
  nodes_[self] = {c.profile, node::status::up, now + micros(c.lease)};
  locks_[self] = session;
  auto a = done(version_, std::move(changed));
  a.incarnation = self;
  a.view = view(0, now);
  return a;
}

database_answer simulated_database::run(const resume_node& c, session_no session, sim_time now) {
  auto* self = living(c.self);
  if (!self || self->lease_until <= now) return refuse(refusal::node_dead);
  if (auto held = locks_.find(c.self); held != locks_.end() && held->second != session)
    return refuse(refusal::lock_busy);
  locks_[c.self] = session;
  self->lease_until = now + micros(c.lease);
  auto a = done();
  a.view = view(0, now);
  return a;
}

database_answer simulated_database::run(const renew_lease& c, session_no, sim_time now) {
  auto* self = living(c.self);
  if (!self || self->lease_until <= now) return refuse(refusal::node_dead);
  self->lease_until = now + micros(c.lease);
  auto a = done();
  a.view = view(c.known, now);
  return a;
}

database_answer simulated_database::run(const read_cluster& c, session_no, sim_time now) {
  auto a = done();
  a.view = view(c.known, now);
  return a;
}

database_answer simulated_database::run(const claim_leadership& c, session_no, sim_time now) {
  auto* self = living(c.self);
  if (!self || self->is != node::status::up || self->lease_until <= now) return refuse(refusal::node_dead);
  if (leader_epoch_ != c.seen_epoch) return refuse(refusal::leader_changed);
  const bool predecessor = leader_ != 0 && leader_ != c.self && living(leader_);
  if (predecessor && !provably_dead(leader_, c.by_lock, now)) return refuse(refusal::leader_alive);
  ++version_;
  std::vector<shard_place> changed;
  if (predecessor) bury(leader_, node::status::dead, changed);
  lead(leader_epoch_ + 1, c.self);
  auto a = done(version_, std::move(changed));
  a.epoch = leader_epoch_;
  a.view = view(c.known, now);
  return a;
}

database_answer simulated_database::run(const resign_leadership& c, session_no, sim_time) {
  if (leader_ != c.self || leader_epoch_ != c.epoch) return refuse(refusal::not_leader);
  ++version_;
  lead(leader_epoch_, 0);
  return done(version_);
}

database_answer simulated_database::run(const bury_node& c, session_no, sim_time now) {
  if (!leads(c.self, c.leader_epoch)) return refuse(refusal::not_leader);
  if (!living(c.dead)) return refuse(refusal::node_dead);
  if (!provably_dead(c.dead, c.by_lock, now)) return refuse(refusal::node_alive);
  ++version_;
  std::vector<shard_place> changed;
  bury(c.dead, node::status::dead, changed);
  assign(c.assignments, changed);
  return done(version_, std::move(changed));
}

database_answer simulated_database::run(const assign_shards& c, session_no, sim_time) {
  if (!leads(c.self, c.leader_epoch)) return refuse(refusal::not_leader);
  ++version_;
  std::vector<shard_place> changed;
  assign(c.assignments, changed);
  return done(version_, std::move(changed));
}

database_answer simulated_database::run(const plan_moves& c, session_no, sim_time) {
  if (!leads(c.self, c.leader_epoch)) return refuse(refusal::not_leader);
  ++version_;
  std::vector<shard_place> changed;
  for (const auto& m : c.moves) {
    auto row = rows_.at(m.shard);
    const auto* to = living(m.to);
    if (row.epoch != m.from_epoch || row.incarnation == 0 || (m.to != 0 && (!to || to->is != node::status::up)))
      continue;
    row.target = m.to;
    put(row, changed);
  }
  return done(version_, std::move(changed));
}

database_answer simulated_database::run(const hand_over_shard& c, session_no, sim_time) {
  auto row = rows_.at(c.shard);
  if (c.self == 0 || row.incarnation != c.self || row.epoch != c.epoch) return refuse(refusal::not_owner);
  ++version_;
  const auto* to = living(row.target);
  const bool there = to && to->is == node::status::up;
  row.owner = there ? to->profile.node : "";
  row.incarnation = there ? row.target : 0;
  row.target = 0;
  ++row.epoch;
  std::vector<shard_place> changed;
  put(row, changed);
  return done(version_, std::move(changed));
}

database_answer simulated_database::run(const start_drain& c, session_no, sim_time) {
  auto* self = living(c.self);
  if (!self) return refuse(refusal::node_dead);
  self->is = node::status::draining;
  return done(++version_);
}

database_answer simulated_database::run(const leave_cluster& c, session_no, sim_time) {
  if (!living(c.self)) return refuse(refusal::node_dead);
  ++version_;
  std::vector<shard_place> changed;
  bury(c.self, node::status::left, changed);
  return done(version_, std::move(changed));
}

cluster_view simulated_database::view(cluster_version known, sim_time now) const {
  cluster_view v;
  v.version = version_;
  v.since = known;
  v.leader_epoch = leader_epoch_;
  v.leader = leader_;
  v.shard_count = static_cast<shard_id>(rows_.size());
  v.database_us = now;
  for (const auto& [id, n] : nodes_)
    if (n.alive())
      v.members.push_back({id, n.profile.node, n.profile.address, n.is == node::status::draining,
                           std::chrono::microseconds{n.lease_until - now}, n.profile.lowest_protocol,
                           n.profile.highest_protocol});
  for (const auto& row : rows_)
    if (row.version > known) v.shards.push_back(row);
  return v;
}

simulated_database::node* simulated_database::living(incarnation_no id) {
  auto found = nodes_.find(id);
  return found == nodes_.end() || !found->second.alive() ? nullptr : &found->second;
}

bool simulated_database::leads(incarnation_no id, epoch_no epoch) {
  if (!sabotage.no_leader_fence && (leader_ != id || leader_epoch_ != epoch)) return false;
  on_leader_act(id, epoch);
  return true;
}

bool simulated_database::provably_dead(incarnation_no id, bool by_lock, sim_time now) const {
  return nodes_.at(id).lease_until <= now || (by_lock && !locks_.contains(id));
}

void simulated_database::bury(incarnation_no id, node::status as, std::vector<shard_place>& changed) {
  nodes_.at(id).is = as;
  if (leader_ == id) lead(leader_epoch_, 0);
  for (auto row : rows_) {
    if (row.incarnation != id) continue;
    row.owner.clear();
    row.incarnation = row.target = 0;
    ++row.epoch;
    put(row, changed);
  }
}

void simulated_database::lead(epoch_no epoch, incarnation_no who) {
  on_leader(leader_epoch_, epoch, who);
  leader_epoch_ = epoch;
  leader_ = who;
}

void simulated_database::put(shard_place row, std::vector<shard_place>& changed) {
  row.version = version_;
  auto& there = rows_.at(static_cast<std::size_t>(row.shard));
  on_row(there, row);
  there = row;
  std::erase_if(changed, [&](const shard_place& c) { return c.shard == row.shard; });
  changed.push_back(row);
}

void simulated_database::assign(const std::vector<assignment>& all, std::vector<shard_place>& changed) {
  for (const auto& a : all) {
    auto row = rows_.at(a.shard);
    const auto* to = living(a.to);
    if (row.epoch != a.from_epoch || !to || to->is != node::status::up) continue;
    row.owner = to->profile.node;
    row.incarnation = a.to;
    row.target = 0;
    ++row.epoch;
    put(row, changed);
  }
}

bool simulated_database::write(incarnation_no by, shard_id shard, epoch_no epoch, std::uint64_t token) {
  const auto& row = rows_.at(shard);
  if (!sabotage.no_shard_fence && (row.incarnation != by || row.epoch != epoch)) return false;
  on_write(by, shard, epoch);
  if (!tokens_.insert(token).second) on_doubled(token);
  return true;
}

bool simulated_database::write_tick(incarnation_no by, shard_id shard, epoch_no epoch, std::size_t which,
                                    std::int64_t n) {
  const auto& row = rows_.at(shard);
  if (!sabotage.no_shard_fence && (row.incarnation != by || row.epoch != epoch)) return false;
  on_write(by, shard, epoch);
  auto& t = ticks[{which, n}];
  if (t.is == tick::status::open) ++t.effects, t.is = tick::status::fired;
  return true;
}

bool simulated_database::open_tick(incarnation_no by, epoch_no epoch, std::size_t which, std::int64_t n, bool skipped) {
  if (!leads(by, epoch) || schedules.at(which).next != n) return false;
  ++schedules[which].next;
  ticks[{which, n}].is = skipped ? tick::status::skipped : tick::status::open;
  return true;
}

} // namespace tobit::cluster::simulation
