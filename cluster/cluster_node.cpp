#include "cluster/cluster_node.hpp"

#include <algorithm>

namespace tobit::cluster {

std::string_view to_string(node_report::kind k) noexcept {
  switch (k) {
  case node_report::kind::joined:
    return "joined";
  case node_report::kind::fenced:
    return "fenced";
  case node_report::kind::refused:
    return "refused";
  case node_report::kind::peer_refused:
    return "peer_refused";
  case node_report::kind::leading:
    return "leading";
  case node_report::kind::deposed:
    return "deposed";
  case node_report::kind::buried:
    return "buried";
  case node_report::kind::draining:
    return "draining";
  case node_report::kind::left:
    return "left";
  }
  return "unknown";
}

cluster_node::cluster_node(node_profile profile, const cluster_times& times)
    : times_(times)
    , self_(std::move(profile), times_)
    , members_(times_)
    , leader_(times_)
    , duties_(times_)
    , shards_(times_)
    , requests_(times_) {}

std::vector<cluster_output> cluster_node::handle(const cluster_input& input, steady_time now) {
  std::vector<cluster_output> out;
  cluster_step step{now, command_ids_, out};
  // A process that was stopped finds out here, before it does anything else. Only an answer about the lease is looked
  // at first: it may say that there is still time.
  const auto* answer = std::get_if<database_answer>(&input);
  if (answer) on(*answer, step);
  if (self_.expired(now)) fence("its lease could not be renewed in time", step);
  if (!answer) std::visit([&](const auto& e) { on(e, step); }, input);
  advance(step);
  return out;
}

// -- the database ----------------------------------------------------------------------------------------------------

void cluster_node::on(const database_answer& e, cluster_step& step) {
  const auto news = self_.take(e, step);
  using kind = member_state::news::kind;
  if (news.what == kind::left) {
    tell_all(message::of(members_changed{members_.version() + 1}), step);
    end_incarnation(step);
    return step.say(node_report{node_report::kind::left, 0, 0, "This node left the cluster."});
  }
  if (news.what == kind::lost) return fence(news.why, step);
  if (!self_.member() || self_.expired(step.now)) return;
  if (e.view.version != 0) take_view(e.view, step);
  if (!members_.find(self_.incarnation())) return fence("it was declared dead", step);
  if (news.what == kind::joined) tell_all(message::of(members_changed{e.view.version}), step);
  if (e.id == look_) {
    look_ = 0;
    if (e.result == outcome::done) return duties_.looked();
    look_not_before_ = step.now + times_.retry;
    return look(step.now);
  }
  const auto led = leader_.leading();
  if (leader_.take(e, step)) {
    if (e.result != outcome::done) return look(step.now);
    tell_change(e, true, step);
    if (leader_.leading() != 0)
      tell_all(message::of(leader_announced{leader_.epoch(), self_.profile().node, self_.incarnation()}), step);
    return;
  }
  bool lost = false, members_too = news.what == kind::draining;
  if (!shards_.take(e, lost, step)) {
    const auto duty = duties_.take(e, step);
    if (duty == leader_duties::news::deposed) leader_.refused(led, step);
    lost = duty == leader_duties::news::look || duty == leader_duties::news::deposed;
    members_too |= duty == leader_duties::news::buried;
  }
  if (lost) look(step.now);
  if (e.result == outcome::done && e.version != 0) tell_change(e, members_too, step);
}

void cluster_node::take_view(const cluster_view& view, cluster_step& step) {
  map_.resize(view.shard_count);
  members_.take(view, self_.incarnation(), step);
  leader_.seen(view.leader_epoch, view.leader, step);
  take_rows(view.shards, step);
  if (view.since <= map_.version()) map_.caught_up(view.version);
}

void cluster_node::take_rows(const std::vector<shard_place>& rows, cluster_step& step) {
  for (const auto& row : rows) {
    if (!map_.take(row)) continue;
    shards_.follow(row, self_.incarnation(), step);
    requests_.shard_changed(static_cast<shard_id>(row.shard));
  }
}

/// What this node has changed in the database, for itself and for the others.
void cluster_node::tell_change(const database_answer& answer, bool members_too, cluster_step& step) {
  take_rows(answer.changed, step);
  if (!map_.changed(answer.version)) look(step.now);
  if (!answer.changed.empty()) tell_all(message::of(shard_map_changed{answer.version, answer.changed}), step);
  if (!members_too || answer.version <= members_.version()) return;
  tell_all(message::of(members_changed{answer.version}), step);
  look(step.now);
}

void cluster_node::look(steady_time at) { wake_by(look_at_, at); }

void cluster_node::on(const liveness_session_lost&, cluster_step& step) { self_.session_lost(step); }

void cluster_node::on(const database_notified& e, cluster_step& step) {
  // The message about the same change is often on its way already.
  if (e.version > map_.version() || e.version > members_.version()) look(step.now + std::chrono::milliseconds{5});
}

// -- peers -----------------------------------------------------------------------------------------------------------

void cluster_node::on(const peer_linked& e, cluster_step& step) {
  if (!self_.member()) return;
  members_.linked(e.peer, true, step);
  requests_.look_again();
  const auto& me = self_.profile();
  step.say(tell_peer{e.peer, message::of(hello{me.cluster_id, me.node, self_.incarnation(), me.lowest_protocol,
                                               me.highest_protocol, me.build, leader_.epoch(), map_.version()})});
  if (leader_.leading() != 0)
    step.say(tell_peer{e.peer, message::of(leader_announced{leader_.epoch(), me.node, self_.incarnation()})});
}

void cluster_node::on(const peer_unlinked& e, cluster_step& step) {
  if (self_.member()) members_.linked(e.peer, false, step);
  requests_.peer_lost(e.peer, step);
}

void cluster_node::on(const peer_said& e, cluster_step& step) {
  if (!self_.member() || members_.gone(e.peer)) return;
  if (const auto* m = e.what.as<hello>()) on(*m, e.peer, step);
  if (const auto* m = e.what.as<shard_map_changed>()) on(*m, step);
  if (const auto* m = e.what.as<leader_announced>(); m && m->incarnation == e.peer)
    leader_.seen(m->epoch, m->incarnation, step);
  if (const auto* m = e.what.as<members_changed>(); m && m->version > members_.version()) look(step.now);
  if (const auto* m = e.what.as<drain_node>(); m && m->node == self_.profile().node) self_.drain(step);
  if (const auto* m = e.what.as<refuse_peer>())
    step.say(node_report{node_report::kind::peer_refused, e.peer, 0, "A peer refused this node: " + m->sentence});
}

void cluster_node::on(const hello& m, incarnation_no from, cluster_step& step) {
  const auto& me = self_.profile();
  refuse_peer no;
  if (m.cluster_id != me.cluster_id)
    no = {"wrong_cluster", "You belong to another cluster; check cluster.id."};
  else if (m.protocol_min > me.highest_protocol || m.protocol_max < me.lowest_protocol)
    no = {"protocol_incompatible", "No protocol version in common; upgrade one release at a time."};
  if (!no.reason.empty()) {
    step.say(node_report{node_report::kind::peer_refused, from, 0, "Refused the peer '" + m.node + "': " + no.reason});
    step.say(tell_peer{from, message::of(no)});
    step.say(disconnect_peer{from});
    return;
  }
  if (m.version > map_.version() || m.leader_epoch > leader_.epoch() || !members_.find(from)) look(step.now);
}

void cluster_node::on(const shard_map_changed& m, cluster_step& step) {
  take_rows(m.shards, step);
  if (!map_.changed(m.version)) look(step.now + std::chrono::milliseconds{20});
}

void cluster_node::tell_all(const message& what, cluster_step& step) {
  for (const auto& [id, m] : members_.all())
    if (id != self_.incarnation() && m.linked == member_table::member::link::up) step.say(tell_peer{id, what});
}

// -- requests --------------------------------------------------------------------------------------------------------

request_desk::surroundings cluster_node::around() const { return {self_.incarnation(), map_, shards_, members_}; }

void cluster_node::on(const request_arrived& e, cluster_step& step) { requests_.arrived(e, around(), step); }

void cluster_node::on(const request_forwarded_here& e, cluster_step& step) {
  if (const auto epoch = shards_.active(e.shard)) return step.say(serve_request{e.token, e.shard, epoch});
  step.say(return_request{e.token});
  if (self_.member() && e.shard < map_.size() && e.epoch > map_.at(e.shard).epoch) look(step.now);
}

void cluster_node::on(const request_returned& e, cluster_step& step) { requests_.came_back(e, step); }
void cluster_node::on(const request_answered& e, cluster_step&) { requests_.answered(e.token); }

// -- life ------------------------------------------------------------------------------------------------------------

void cluster_node::on(const start_node&, cluster_step& step) { self_.start(step.now); }
void cluster_node::on(const time_passed&, cluster_step&) {}
void cluster_node::on(const shard_stopped& e, cluster_step& step) { shards_.stopped(e.shard, e.epoch, step); }

void cluster_node::on(const shard_refused& e, cluster_step& step) {
  if (self_.member() && shards_.active(e.shard) == e.epoch) look(step.now);
}

void cluster_node::on(const leading_refused& e, cluster_step& step) {
  if (leader_.leading() != e.epoch || e.epoch == 0) return;
  leader_.refused(e.epoch, step);
  look(step.now);
}

void cluster_node::on(const drain_wanted&, cluster_step& step) { self_.drain(step); }

void cluster_node::fence(const std::string& why, cluster_step& step) {
  const auto old = self_.incarnation();
  end_incarnation(step);
  step.say(node_report{node_report::kind::fenced, old, 0, "This node stopped acting: " + why + "."});
  if (self_.where() == member_state::phase::left)
    step.say(node_report{node_report::kind::left, 0, 0, "This node was about to leave and is gone now."});
}

void cluster_node::end_incarnation(cluster_step& step) {
  leader_.reset(step);
  duties_.reset();
  shards_.abandon_all(step);
  self_.end_incarnation(step);
  for (const auto& [id, m] : members_.all()) requests_.peer_lost(id, step);
  members_.disconnect_all(step);
  look_ = 0;
  look_at_.reset();
}

void cluster_node::advance(cluster_step& step) {
  if (members_.look_due(step.now)) look(step.now);
  if (self_.member() && look_ == 0 && look_at_ && step.now >= std::max(*look_at_, look_not_before_)) {
    look_at_.reset();
    look_ = step.ask(read_cluster{map_.version()});
  }
  self_.advance(map_.version(), step);
  if (self_.member()) {
    const bool candidate = self_.where() == member_state::phase::up;
    leader_.advance(self_.incarnation(), candidate, map_.version(), members_, step);
    duties_.advance(self_.incarnation(), leader_.leading(), members_, map_, step);
    advance_drain(step);
    if (self_.where() != member_state::phase::leaving) shards_.advance(self_.incarnation(), step);
  }
  requests_.advance(around(), step);
}

bool cluster_node::alone() const {
  return std::none_of(members_.all().begin(), members_.all().end(), [&](const auto& m) {
    return m.first != self_.incarnation() && !m.second.row.draining && m.second.row.lease_left.count() > 0;
  });
}

void cluster_node::advance_drain(cluster_step& step) {
  const auto phase = self_.where();
  if (phase == member_state::phase::draining) {
    const bool done = shards_.empty() && !map_.holds_any(self_.incarnation());
    if (!done && !alone() && !self_.drain_over(step.now)) return;
    self_.begin_leaving(step.now);
  } else if (phase != member_state::phase::leaving) {
    return;
  }
  shards_.stop_all(step);
  if (self_.leave_over(step.now)) shards_.abandon_running(step);
  if (!shards_.any_running()) self_.leave(step);
}

std::optional<steady_time> cluster_node::wake_at(steady_time now) const {
  std::optional<steady_time> earliest;
  self_.wake(earliest);
  requests_.wake(earliest);
  if (!self_.member()) return earliest;
  std::optional<steady_time> to_look = look_at_;
  if (look_ == 0) members_.wake(to_look, now);
  if (look_ == 0 && to_look) wake_by(earliest, std::max(*to_look, look_not_before_));
  leader_.wake(earliest);
  duties_.wake(earliest);
  shards_.wake(earliest);
  if (earliest) earliest = std::max(*earliest, now + std::chrono::milliseconds{1});
  return earliest;
}

} // namespace tobit::cluster
