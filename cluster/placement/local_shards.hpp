#pragma once

#include "cluster/cluster_step.hpp"
#include "cluster/cluster_times.hpp"

#include <map>
#include <optional>

namespace tobit::cluster {

/// The shards that this node runs. An epoch is activated at most once: a shard that was stopped is handed over under a
/// new epoch even if the wish to move it was taken back.
class local_shards {
public:
  explicit local_shards(const cluster_times& times) : times_(times) {}

  /// A row changed: activates, stops or abandons the shard.
  void follow(const shard_place& row, incarnation_no self, cluster_step& step);
  void stopped(shard_id shard, epoch_no epoch, cluster_step& step);
  /// True if the answer belongs here. `lost` is set if the row was not as expected: look into the database.
  bool take(const database_answer& answer, bool& lost, cluster_step& step);
  void advance(incarnation_no self, cluster_step& step);
  void stop_all(cluster_step& step);
  /// Ends what still runs, without waiting, but remembers that these epochs are over.
  void abandon_running(cluster_step& step);
  /// The incarnation ended.
  void abandon_all(cluster_step& step);
  void wake(std::optional<steady_time>& earliest) const;

  /// The epoch under which the shard may act here; 0: it may not.
  epoch_no active(shard_id shard) const;
  bool any_running() const;
  bool empty() const noexcept { return shards_.empty(); }

private:
  struct local {
    epoch_no epoch = 0;
    enum class state { active, stopping, handing_over } is = state::active;
    std::uint64_t command = 0;
    steady_time try_at{}; ///< end of stopping, then of waiting to hand over
  };
  void stop(shard_id shard, local& s, cluster_step& step);
  const cluster_times& times_;
  std::map<shard_id, local> shards_;
};

} // namespace tobit::cluster
