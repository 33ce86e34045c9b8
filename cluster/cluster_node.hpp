#pragma once

#include "cluster/leadership/leader_duties.hpp"
#include "cluster/leadership/leader_state.hpp"
#include "cluster/membership/member_state.hpp"
#include "cluster/membership/member_table.hpp"
#include "cluster/placement/local_shards.hpp"
#include "cluster/placement/shard_map.hpp"
#include "cluster/requests/request_desk.hpp"

namespace tobit::cluster {

/// The cluster protocol of one node, whole: inputs and the time in, things to do out. No clock, no I/O, no threads. The
/// program runs it in one actor; the simulation runs several in one thread.
///
/// Whoever runs it has to
/// - hand in every event at once, with a steady clock that also counts while the process is stopped;
/// - carry out the outputs in their order, and answer every `run_command` exactly once;
/// - call with `time_passed` at `wake_at()`, which changes with every call;
/// - check `may_act` immediately before each act whose harm the database cannot prevent: it turns false by itself.
///
/// What keeps two nodes from acting for the same shard is the database: every write proves (shard, owner, epoch), and
/// every act of the leader its epoch. The lease bounds how long a node that lost its rights can go on answering from
/// memory; the messages only make things fast. See docs/decisions/0008-cluster-protocol.md.
class cluster_node {
public:
  explicit cluster_node(node_profile profile, const cluster_times& times = {});
  cluster_node(const cluster_node&) = delete;
  cluster_node& operator=(const cluster_node&) = delete;

  std::vector<cluster_output> handle(const cluster_input& input, steady_time now);
  /// When to call again if nothing else happens, at least a millisecond from now; nothing: never.
  std::optional<steady_time> wake_at(steady_time now) const;

  bool may_act(steady_time now) const noexcept { return self_.member() && !self_.expired(now); }
  bool may_act(shard_id shard, epoch_no epoch, steady_time now) const {
    return may_act(now) && epoch != 0 && shards_.active(shard) == epoch;
  }
  bool may_lead(epoch_no epoch, steady_time now) const noexcept {
    return may_act(now) && epoch != 0 && leader_.leading() == epoch;
  }

  const member_state& self() const noexcept { return self_; }
  const member_table& members() const noexcept { return members_; }
  const leader_state& leader() const noexcept { return leader_; }
  const shard_map& map() const noexcept { return map_; }
  const local_shards& shards() const noexcept { return shards_; }
  const request_desk& requests() const noexcept { return requests_; }

private:
  void on(const start_node& e, cluster_step& step);
  void on(const time_passed& e, cluster_step& step);
  void on(const database_answer& e, cluster_step& step);
  void on(const liveness_session_lost& e, cluster_step& step);
  void on(const database_notified& e, cluster_step& step);
  void on(const peer_linked& e, cluster_step& step);
  void on(const peer_unlinked& e, cluster_step& step);
  void on(const peer_said& e, cluster_step& step);
  void on(const shard_stopped& e, cluster_step& step);
  void on(const shard_refused& e, cluster_step& step);
  void on(const leading_refused& e, cluster_step& step);
  void on(const request_arrived& e, cluster_step& step);
  void on(const request_forwarded_here& e, cluster_step& step);
  void on(const request_returned& e, cluster_step& step);
  void on(const request_answered& e, cluster_step& step);
  void on(const drain_wanted& e, cluster_step& step);

  void on(const hello& m, incarnation_no from, cluster_step& step);
  void on(const shard_map_changed& m, cluster_step& step);

  void take_view(const cluster_view& view, cluster_step& step);
  void take_rows(const std::vector<shard_place>& rows, cluster_step& step);
  void look(steady_time at);
  void tell_all(const message& what, cluster_step& step);
  void tell_change(const database_answer& answer, bool members_too, cluster_step& step);
  void fence(const std::string& why, cluster_step& step);
  void end_incarnation(cluster_step& step);
  void advance(cluster_step& step);
  void advance_drain(cluster_step& step);
  bool alone() const;
  request_desk::surroundings around() const;

  cluster_times times_;
  member_state self_;
  member_table members_;
  leader_state leader_;
  leader_duties duties_;
  shard_map map_;
  local_shards shards_;
  request_desk requests_;
  std::uint64_t command_ids_ = 0, look_ = 0;
  std::optional<steady_time> look_at_;
  steady_time look_not_before_{}; ///< after a look that failed
};

} // namespace tobit::cluster
