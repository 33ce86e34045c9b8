#include "cluster/leadership/leader_state.hpp"

#include <algorithm>

namespace tobit::cluster {

void leader_state::seen(epoch_no epoch, incarnation_no leader, cluster_step& step) {
  // Within an epoch the leader can only go: a late message must not bring back one that resigned.
  if (epoch < epoch_ || (epoch == epoch_ && leader != 0)) return;
  epoch_ = epoch;
  leader_ = leader;
  if (leading_ != 0 && (leading_ < epoch_ || leader_ == 0)) stop_leading(step);
}

bool leader_state::take(const database_answer& answer, cluster_step& step) {
  if (answer.id == resign_) {
    resign_ = 0;
    try_at_ = step.now + times_.retry;
    if (answer.result == outcome::done) seen(epoch_, 0, step);
    return true;
  }
  if (answer.id != claim_) return false;
  claim_ = 0;
  patience_ = std::clamp<std::chrono::microseconds>(patience_ * 2, times_.probe_first, times_.probe_most);
  try_at_ = step.now + patience_;
  // A higher epoch that was seen since means that this one is over before it began.
  const bool overtaken = answer.epoch < epoch_ || (answer.epoch == epoch_ && leader_ != self_);
  if (answer.result != outcome::done || overtaken) return true;
  epoch_ = leading_ = answer.epoch;
  leader_ = self_;
  step.say(start_leading{leading_});
  step.say(node_report{node_report::kind::leading, self_, leading_, "This node leads the cluster."});
  return true;
}

void leader_state::refused(epoch_no epoch, cluster_step& step) {
  if (leading_ == epoch) stop_leading(step);
}

void leader_state::advance(incarnation_no self, bool candidate, cluster_version known, const member_table& members,
                           cluster_step& step) {
  self_ = self;
  if (!candidate) {
    stop_leading(step);
    wanted_ = leader_ == self && epoch_ != 0;
    if (wanted_ && resign_ == 0 && step.now >= try_at_) resign_ = step.ask(resign_leadership{self, epoch_});
    return;
  }
  const auto why = leading_ != 0 ? reason::none : to_claim(self, members, step.now);
  wanted_ = why != reason::none;
  if (!wanted_) {
    patience_ = {};
    try_at_ = step.now;
  } else if (claim_ == 0 && step.now >= try_at_) {
    claim_ = step.ask(claim_leadership{self, epoch_, why == reason::cut_off, known});
  }
}

leader_state::reason leader_state::to_claim(incarnation_no self, const member_table& members, steady_time now) const {
  if (members.version() == 0) return reason::none;
  if (leader_ == 0 || leader_ == self || members.gone(leader_)) return reason::vacant;
  const auto* m = members.find(leader_);
  if (!m) return reason::none; // newer than what was read
  if (m->row.lease_left.count() <= 0) return reason::vacant;
  return members.cut_off(*m, now) ? reason::cut_off : reason::none;
}

void leader_state::stop_leading(cluster_step& step) {
  if (leading_ == 0) return;
  step.say(cluster::stop_leading{leading_});
  step.say(node_report{node_report::kind::deposed, self_, leading_, "This node does not lead any more."});
  leading_ = 0;
}

void leader_state::reset(cluster_step& step) {
  stop_leading(step);
  claim_ = resign_ = 0;
  wanted_ = false;
  patience_ = {};
}

void leader_state::wake(std::optional<steady_time>& earliest) const {
  if (wanted_ && claim_ == 0 && resign_ == 0) wake_by(earliest, try_at_);
}

} // namespace tobit::cluster
