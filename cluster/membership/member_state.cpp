#include "cluster/membership/member_state.hpp"

#include <algorithm>

namespace tobit::cluster {

namespace {

std::string sentence_of(refusal why, const node_profile& self) {
  switch (why) {
  case refusal::wrong_cluster:
    return "The database belongs to another cluster; check storage.url and cluster.id.";
  case refusal::settings_differ:
    return "The settings that must be equal on every node differ from the cluster's; compare `tobit config list`.";
  case refusal::protocol_incompatible:
    return "This build and the running nodes have no protocol version in common; upgrade one release at a time.";
  case refusal::name_in_use:
    return "Another running node has the name '" + self.node + "'; give each node its own node.id.";
  default:
    return "The cluster refused this node: " + std::string{to_string(why)} + ".";
  }
}

} // namespace

member_state::member_state(node_profile profile, const cluster_times& times)
    : profile_(std::move(profile)), times_(times) {}

void member_state::start(steady_time now) {
  if (phase_ != phase::outside || self_ != 0) return;
  phase_ = phase::joining;
  try_at_ = now;
}

member_state::news member_state::take(const database_answer& answer, cluster_step& step) {
  if (answer.id == register_.id && phase_ == phase::joining) return registered(answer, step);
  if (!member()) return {};
  if (answer.id == renew_.id) return renewed(answer, step);
  if (answer.id == resume_.id) return resumed(answer, step);
  if (answer.id == drain_.id) {
    drain_ = {};
    try_at_ = step.now + times_.retry;
    if (answer.result == outcome::refused) return {news::kind::lost, "it was declared dead"};
    if (answer.result != outcome::done || phase_ != phase::up) return {};
    phase_ = phase::draining;
    drain_until_ = step.now + times_.drain;
    step.say(node_report{node_report::kind::draining, self_, 0, "This node hands over its shards."});
    return {news::kind::draining};
  } else if (answer.id == leave_.id) {
    leave_ = {};
    try_at_ = step.now + times_.retry;
    // Refused means that others have buried this incarnation in the meantime: it is gone either way.
    if (answer.result == outcome::done || answer.result == outcome::refused) return {news::kind::left};
  }
  return {};
}

member_state::news member_state::registered(const database_answer& answer, cluster_step& step) {
  const auto sent = register_.sent;
  register_ = {};
  if (answer.result == outcome::done) {
    self_ = answer.incarnation;
    session_ = session::held;
    phase_ = phase::up;
    acts_until_ = sent + times_.lease - times_.margin;
    renew_at_ = sent + times_.renew_interval;
    step.say(node_report{node_report::kind::joined, self_, 0, "This node joined the cluster."});
    return {news::kind::joined};
  }
  // Whatever an attempt left behind falls with its session.
  close_session(step);
  try_at_ = step.now + times_.retry;
  if (answer.result != outcome::refused) return {};
  step.say(node_report{node_report::kind::refused, 0, 0, sentence_of(answer.why, profile_)});
  if (answer.why == refusal::name_in_use)
    try_at_ = step.now + times_.renew_interval;
  else
    phase_ = phase::refused;
  return {};
}

void member_state::extend(steady_time sent) {
  acts_until_ = std::max(acts_until_, sent + times_.lease - times_.margin);
  renew_at_ = std::max(renew_at_, sent + times_.renew_interval);
}

member_state::news member_state::renewed(const database_answer& answer, cluster_step& step) {
  const auto sent = renew_.sent;
  renew_ = {};
  if (answer.result == outcome::refused) return {news::kind::lost, "its lease ran out or it was declared dead"};
  if (answer.result == outcome::done)
    extend(sent);
  else
    renew_at_ = step.now + times_.retry;
  return {};
}

member_state::news member_state::resumed(const database_answer& answer, cluster_step& step) {
  const auto sent = resume_.sent;
  resume_ = {};
  if (session_ != session::resuming) return {}; // this session, too, is gone again
  if (answer.result == outcome::done) {
    session_ = session::held;
    extend(sent);
    return {};
  }
  close_session(step);
  session_ = session::lost;
  resume_at_ = step.now + times_.retry;
  if (answer.result == outcome::refused && answer.why == refusal::node_dead)
    return {news::kind::lost, "it was declared dead"};
  return {};
}

void member_state::session_lost(cluster_step& step) {
  if (!member() || session_ == session::none || session_ == session::lost) return;
  session_ = session::lost;
  resume_ = {};
  resume_at_ = step.now;
}

void member_state::advance(cluster_version known, cluster_step& step) {
  if (phase_ == phase::joining && register_.id == 0 && step.now >= try_at_)
    register_ = {step.ask(register_node{profile_, times_.lease}), step.now};
  if (!member()) return;
  if (session_ == session::lost && step.now >= resume_at_) {
    session_ = session::resuming;
    resume_ = {step.ask(resume_node{self_, times_.lease}), step.now};
  }
  if (renew_.id == 0 && step.now >= renew_at_) renew_ = {step.ask(renew_lease{self_, times_.lease, known}), step.now};
  if (drain_wanted_ && phase_ == phase::up && drain_.id == 0 && step.now >= try_at_)
    drain_ = {step.ask(start_drain{self_}), step.now};
}

void member_state::drain(cluster_step& step) {
  drain_wanted_ = true;
  // Whoever is no member has nothing to hand over.
  if (member() || phase_ == phase::left) return;
  close_session(step);
  register_ = {};
  phase_ = phase::left;
  step.say(node_report{node_report::kind::left, 0, 0, "This node was no member when it was told to leave."});
}

void member_state::begin_leaving(steady_time now) {
  phase_ = phase::leaving;
  leave_until_ = now + times_.leave;
  try_at_ = now;
}

void member_state::leave(cluster_step& step) {
  if (leave_.id == 0 && step.now >= try_at_) leave_ = {step.ask(leave_cluster{self_}), step.now};
}

void member_state::end_incarnation(cluster_step& step) {
  close_session(step);
  self_ = 0;
  register_ = renew_ = resume_ = drain_ = leave_ = {};
  phase_ = drain_wanted_ ? phase::left : phase::joining;
  try_at_ = step.now + times_.rejoin;
}

void member_state::close_session(cluster_step& step) {
  session_ = session::none;
  step.say(close_liveness_session{});
}

void member_state::wake(std::optional<steady_time>& earliest) const {
  if (phase_ == phase::joining && register_.id == 0) wake_by(earliest, try_at_);
  if (!member()) return;
  wake_by(earliest, acts_until_);
  if (session_ == session::lost) wake_by(earliest, resume_at_);
  if (renew_.id == 0) wake_by(earliest, renew_at_);
  if (drain_wanted_ && phase_ == phase::up && drain_.id == 0) wake_by(earliest, try_at_);
  if (phase_ == phase::draining) wake_by(earliest, drain_until_);
  if (phase_ == phase::leaving && leave_.id == 0) {
    wake_by(earliest, leave_until_);
    if (try_at_ > leave_until_) wake_by(earliest, try_at_);
  }
}

} // namespace tobit::cluster
