#pragma once

#include "runtime/entity/entity_gateway.hpp"
#include "runtime/entity/entity_residency.hpp"
#include "runtime/entity/kind_registry.hpp"
#include "runtime/entity/placement.hpp"
#include "runtime/entity/resident_table.hpp"
#include "runtime/time/clock.hpp"

#include <caf/actor.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace tobit::entity {

/// A shard of this node. Its table outlives its host, so that whoever still looks at it is refused and not lost.
struct local_shard {
  fence right;
  std::shared_ptr<resident_table> table;
  caf::actor host;
};

/// Finds the way from an entity's name to its actor, or to the node that has it. Shared by the runtime and those of its
/// actors that talk to entities themselves; may outlive the runtime, and refuses everything then. Thread-safe.
class entity_router final : public entity_gateway, public std::enable_shared_from_this<entity_router> {
public:
  struct parts {
    const clock* time = nullptr;
    const kind_registry* kinds = nullptr;
    const placement* places = nullptr;
    remote_delivery* remote = nullptr; ///< may be null
    node_id self;
  };
  explicit entity_router(parts p);

  void ask(entity_ref ref, call_context context, message request, reply_handler reply) override;
  /// See `entity_runtime::ask_here`.
  void ask_here(entity_ref ref, call_context context, message request, reply_handler reply);

  /// The right to write for the entity's shard; nothing if another node has it.
  std::optional<fence> right_of(const entity_ref& ref) const;
  /// The same to write down what was done under it: also for a shard that leaves. The database refuses what is too
  /// late.
  std::optional<fence> right_to_settle(const entity_ref& ref) const;
  std::optional<residency> resident(const entity_ref& ref) const;
  std::vector<entity_ref> residents() const;

  void put(std::unique_ptr<const local_shard> shard);
  /// The shard is not here any more. Looking one up takes no lock: what was given up stays allocated, as it happens
  /// rarely.
  const local_shard* take(shard_id id);
  const local_shard* find(shard_id id) const { return shards_[id].load(std::memory_order_acquire); }
  shard_id shard_count() const noexcept { return count_; }
  /// From now on nothing is sent to other nodes: what that needs may be gone.
  void close() noexcept { closed_ = true; }

private:
  result<void> check(const entity_ref& ref) const;
  void deliver(const local_shard& shard, const entity_ref& ref, std::uint64_t hash, const delivery_ptr& asked);
  shard_id shard_of(std::uint64_t hash) const noexcept { return static_cast<shard_id>(hash % count_); }

  const parts parts_;
  const shard_id count_;
  std::vector<std::atomic<const local_shard*>> shards_;
  std::vector<std::atomic<const local_shard*>> left_; ///< what was here last
  std::mutex guard_;
  std::vector<std::unique_ptr<const local_shard>> all_;
  std::atomic<bool> closed_{false};
};

} // namespace tobit::entity
