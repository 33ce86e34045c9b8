#pragma once

#include "cluster/cluster_step.hpp"
#include "cluster/cluster_times.hpp"
#include "cluster/membership/member_table.hpp"

#include <optional>

namespace tobit::cluster {

/// Who leads, as far as this node knows, and its own candidacy. Leader is whom the row of `cluster_leader` names; each
/// claim raises the epoch, so an epoch has one leader for ever. A node claims when the leader is nobody, gone, without
/// a lease, or cut off from it; the database decides whether that is true.
class leader_state {
public:
  explicit leader_state(const cluster_times& times) : times_(times) {}

  /// Somebody was seen to lead. Older epochs are ignored.
  void seen(epoch_no epoch, incarnation_no leader, cluster_step& step);
  /// True if the answer belongs here.
  bool take(const database_answer& answer, cluster_step& step);
  /// A command of the leader was refused because of its epoch.
  void refused(epoch_no epoch, cluster_step& step);
  /// Claims if it is time to. `candidate`: this node is up and not draining.
  void advance(incarnation_no self, bool candidate, cluster_version known, const member_table& members,
               cluster_step& step);
  void stop_leading(cluster_step& step);
  /// The incarnation ended.
  void reset(cluster_step& step);
  void wake(std::optional<steady_time>& earliest) const;

  epoch_no epoch() const noexcept { return epoch_; }
  incarnation_no leader() const noexcept { return leader_; }
  /// The epoch under which this node leads; 0: it does not.
  epoch_no leading() const noexcept { return leading_; }

private:
  enum class reason { none, vacant, cut_off };
  reason to_claim(incarnation_no self, const member_table& members, steady_time now) const;

  const cluster_times& times_;
  epoch_no epoch_ = 0, leading_ = 0;
  incarnation_no leader_ = 0;
  std::uint64_t claim_ = 0, resign_ = 0;
  incarnation_no self_ = 0; ///< who the commands under way speak for
  bool wanted_ = false;     ///< a claim, or to resign, as soon as `try_at_` has come
  steady_time try_at_{};
  std::chrono::microseconds patience_{0};
};

} // namespace tobit::cluster
