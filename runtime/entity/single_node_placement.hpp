#pragma once

#include "runtime/entity/placement.hpp"
#include "runtime/storage/database.hpp"

namespace tobit::entity {

/// Default number of shards of a new store. It is stored with the data and then stays.
inline constexpr shard_id shard_count_default = 256;

/// One node that owns every shard. Taking the shards raises every epoch, so that a forgotten process of the same store
/// can no longer write.
class single_node_placement final : public placement {
public:
  /// Reads the shard count of the store, or stores `wanted` if it is new. Errors: those of the database;
  /// configuration_error (the store belongs to a cluster).
  static result<std::unique_ptr<single_node_placement>> open(storage::database& db, node_id self,
                                                             shard_id wanted = shard_count_default);
  shard_id shard_count() const noexcept override { return count_; }
  result<std::vector<fence>> take_shards() override;
  node_id owner_of(shard_id) const override { return self_; }

private:
  single_node_placement(storage::database& db, node_id self, shard_id count);
  storage::database& db_;
  node_id self_;
  shard_id count_;
};

} // namespace tobit::entity
