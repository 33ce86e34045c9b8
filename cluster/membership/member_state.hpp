#pragma once

#include "cluster/cluster_step.hpp"
#include "cluster/cluster_times.hpp"

#include <optional>
#include <string>

namespace tobit::cluster {

/// This node's own membership: joining, the lease, the liveness session, draining, leaving.
///
/// The lease is what allows a node to act. It is counted on this node's steady clock from the moment at which the
/// renewal was *sent*, so that it ends here before it ends in the database, whatever the network did in between. The
/// steady clock must go on while the process is stopped (CLOCK_BOOTTIME also counts a suspended machine).
class member_state {
public:
  enum class phase { outside, joining, up, draining, leaving, left, refused };

  /// What an answer of the database meant for the membership.
  struct news {
    enum class kind { nothing, joined, draining, left, lost } what = kind::nothing;
    std::string why{}; ///< this incarnation has to end
  };

  member_state(node_profile profile, const cluster_times& times);

  void start(steady_time now);
  news take(const database_answer& answer, cluster_step& step);
  void session_lost(cluster_step& step);
  /// Renews, retries, resumes: whatever is due.
  void advance(cluster_version known, cluster_step& step);
  void drain(cluster_step& step);
  /// Its shards are elsewhere, or it waited long enough: what is left is stopped, then it leaves.
  void begin_leaving(steady_time now);
  /// Nothing runs here any more: ends the incarnation in the database.
  void leave(cluster_step& step);
  /// Forgets the incarnation; a new one is asked for after `rejoin`, unless the node was about to leave for good.
  void end_incarnation(cluster_step& step);
  void wake(std::optional<steady_time>& earliest) const;

  phase where() const noexcept { return phase_; }
  const node_profile& profile() const noexcept { return profile_; }
  incarnation_no incarnation() const noexcept { return self_; }
  bool member() const noexcept { return self_ != 0; }
  bool holds_lock() const noexcept { return session_ == session::held; }
  /// End of the right to act; meaningless for a node that is no member.
  steady_time acts_until() const noexcept { return acts_until_; }
  bool expired(steady_time now) const noexcept { return member() && now >= acts_until_; }
  /// For a draining node: from now on it leaves without waiting for its shards to be moved.
  bool drain_over(steady_time now) const noexcept { return phase_ == phase::draining && now >= drain_until_; }
  /// For a leaving node: from now on it leaves without waiting for its shards to be stopped.
  bool leave_over(steady_time now) const noexcept { return phase_ == phase::leaving && now >= leave_until_; }

private:
  enum class session { none, held, lost, resuming };
  news registered(const database_answer& answer, cluster_step& step);
  news renewed(const database_answer& answer, cluster_step& step);
  news resumed(const database_answer& answer, cluster_step& step);
  void extend(steady_time sent);
  void close_session(cluster_step& step);

  node_profile profile_;
  const cluster_times& times_;
  phase phase_ = phase::outside;
  session session_ = session::none;
  incarnation_no self_ = 0;
  steady_time acts_until_{}, renew_at_{}, resume_at_{}, try_at_{}, drain_until_{}, leave_until_{};
  struct pending {
    std::uint64_t id = 0;
    steady_time sent{};
  };
  pending register_, renew_, resume_, drain_, leave_;
  bool drain_wanted_ = false;
};

} // namespace tobit::cluster
