#pragma once

#include "schemas/call_context.hpp"
#include "schemas/ids.hpp"
#include "schemas/message.hpp"

#include <cstdint>
#include <functional>
#include <vector>

/// Which node holds which shard. The runtime declares these ports; the single-node placement here and the cluster fill
/// them.
namespace tobit::entity {

using shard_id = std::uint32_t;

/// The right to write what belongs to one shard. A row of the table `shard` with the same owner and epoch is the proof;
/// every transaction of an entity checks it.
struct fence {
  shard_id shard = 0;
  std::string owner;      ///< the node
  std::int64_t epoch = 0; ///< rises each time the shard changes hands or its node is started again
};

/// Where the shards of the cluster are. Thread-safe.
class placement {
public:
  virtual ~placement() = default;
  /// The number of shards of this cluster; never changes while the program runs.
  virtual shard_id shard_count() const noexcept = 0;
  /// Takes what belongs to this node, as rows. Called once by `entity_runtime::start`. May wait for the database.
  /// Nothing in a cluster, which hands shards over one by one (`entity_runtime::take_shard`).
  virtual result<std::vector<fence>> take_shards() = 0;
  /// The node that owns the shard as far as is known; empty if nobody does.
  virtual node_id owner_of(shard_id shard) const = 0;
  /// Whether this node may act at this very moment: a member of a cluster may not when its lease is over. Cheap.
  virtual bool may_act() const noexcept { return true; }
};

/// Carries a request to an entity whose shard is not here, to wherever it is or will be before the deadline.
/// Thread-safe; `reply` is called exactly once, on an unspecified thread.
class remote_delivery {
public:
  virtual ~remote_delivery() = default;
  virtual void forward(shard_id shard, entity_ref ref, call_context context, message request,
                       std::function<void(result<message>)> reply) = 0;
};

} // namespace tobit::entity
