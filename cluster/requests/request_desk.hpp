#pragma once

#include "cluster/cluster_step.hpp"
#include "cluster/cluster_times.hpp"
#include "cluster/membership/member_table.hpp"
#include "cluster/placement/local_shards.hpp"
#include "cluster/placement/shard_map.hpp"

#include <map>
#include <optional>
#include <set>

namespace tobit::cluster {

/// Decides for each request of this node's edge where it goes: to an entity here, to another node, or to wait until its
/// shard is somewhere. Waiting is bounded in number and time. A request that may have reached an entity is never sent
/// again; one that came back untouched is.
class request_desk {
public:
  explicit request_desk(const cluster_times& times) : times_(times) {}

  /// What is known when a request is looked at.
  struct surroundings {
    incarnation_no self = 0; ///< 0: this node may not act
    const shard_map& map;
    const local_shards& local;
    const member_table& members;
  };

  void arrived(const request_arrived& r, const surroundings& around, cluster_step& step);
  void came_back(const request_returned& r, cluster_step& step);
  void answered(request_token token);
  /// Requests under way to a node whose connection broke: nobody knows whether they were processed.
  void peer_lost(incarnation_no peer, cluster_step& step);
  /// The place of these shards may have changed.
  void shard_changed(shard_id shard);
  void look_again();
  /// Sends on what can go, gives up what waited too long.
  void advance(const surroundings& around, cluster_step& step);
  void wake(std::optional<steady_time>& earliest) const;

  std::size_t parked() const noexcept { return parked_count_; }

private:
  struct request {
    shard_id shard = 0;
    steady_time deadline{}, give_up{}; ///< `give_up`: of waiting here
    std::uint32_t attempt = 0;
    incarnation_no at = 0; ///< the node it was sent to; 0: it waits here
    steady_time alarm{};   ///< when to look at it again
  };
  using entry = std::map<request_token, request>::iterator;
  void send_on(entry r, const surroundings& around, cluster_step& step);
  void park(entry r, steady_time again);
  void unpark(entry r);
  void set_alarm(entry r, steady_time at);
  void forget(entry r);

  const cluster_times& times_;
  std::map<request_token, request> requests_;
  std::map<shard_id, std::set<request_token>> parked_;
  std::set<std::pair<steady_time, request_token>> alarms_;
  std::set<shard_id> changed_;
  std::size_t parked_count_ = 0;
  bool all_changed_ = false;
};

} // namespace tobit::cluster
