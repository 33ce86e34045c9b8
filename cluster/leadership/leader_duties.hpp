#pragma once

#include "cluster/cluster_step.hpp"
#include "cluster/cluster_times.hpp"
#include "cluster/membership/member_table.hpp"
#include "cluster/placement/shard_map.hpp"

#include <map>
#include <optional>

namespace tobit::cluster {

/// What the leader does for the cluster: buries the dead, gives their shards to others, plans moves, and makes moves
/// that take too long by force. One command at a time; each proves its epoch in the database.
class leader_duties {
public:
  explicit leader_duties(const cluster_times& times) : times_(times) {}

  enum class news { not_mine, done, buried, look, deposed };
  /// `look`: nothing is planned until `looked` is called after a look into the database.
  news take(const database_answer& answer, cluster_step& step);
  void looked() noexcept { stale_ = false; }
  void advance(incarnation_no self, epoch_no leading, const member_table& members, const shard_map& map,
               cluster_step& step);
  void reset();
  void wake(std::optional<steady_time>& earliest) const;

private:
  struct suspicion {
    steady_time ask_at{};
    std::chrono::microseconds patience{0};
  };
  struct move {
    epoch_no epoch = 0;
    incarnation_no target = 0;
    steady_time since{};
  };
  bool bury_one(incarnation_no self, const member_table& members, const shard_map& map, cluster_step& step);
  void watch_moves(const shard_map& map, steady_time now);
  std::vector<assignment> overdue_moves(const shard_map& map, const member_table& members, steady_time now) const;

  const cluster_times& times_;
  epoch_no leading_ = 0;
  std::uint64_t command_ = 0;
  std::size_t rows_wanted_ = 0; ///< that the command under way shall change
  incarnation_no burying_ = 0;
  bool stale_ = false;
  std::map<incarnation_no, suspicion> suspicions_;
  std::map<shard_id, move> moves_;
};

} // namespace tobit::cluster
