#pragma once

#include "runtime/entity/effect_watch.hpp"
#include "runtime/entity/entity_gateway.hpp"
#include "runtime/entity/entity_options.hpp"
#include "runtime/entity/entity_residency.hpp"
#include "runtime/entity/interest_listener.hpp"
#include "runtime/entity/kind_registry.hpp"
#include "runtime/entity/placement.hpp"
#include "runtime/storage/database.hpp"
#include "runtime/stream/event_bus.hpp"
#include "runtime/telemetry/metrics.hpp"
#include "runtime/telemetry/span.hpp"
#include "runtime/time/clock.hpp"

#include <caf/fwd.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace tobit::entity {

/// What the runtime stands on. Everything outlives it; pointers that may be null say so.
struct runtime_deps {
  caf::actor_system* system = nullptr;
  storage::database* db = nullptr;
  const clock* time = nullptr;
  const kind_registry* kinds = nullptr;
  placement* places = nullptr;
  node_id self{"local"};
  std::vector<effect_handler*> handlers;
  std::vector<interest_listener*> listeners;
  stream::event_bus* bus = nullptr;      ///< may be null
  telemetry::metrics* figures = nullptr; ///< may be null
  telemetry::span_sink* spans = nullptr; ///< may be null
  remote_delivery* remote = nullptr;     ///< may be null: then requests to other nodes' shards are `unavailable`
  /// A write of this shard was refused because somebody else owns it. For the cluster; may be empty.
  std::function<void(const fence&)> shard_refused;
  std::function<double()> random; ///< from [0, 1), thread-safe; empty: seeded from the operating system
};

/// All entities of this node: router, shard hosts, outbox. Thread-safe.
///
/// Start order: database, placement, this, then whoever serves interests. Stop in reverse: whoever sends, this, the
/// actor system, the database.
class entity_runtime : public entity_gateway, public effect_watch, public entity_residency {
public:
  /// Takes the shards of this node and begins to answer; before, requests are `unavailable`. Waits for the database.
  virtual result<void> start() = 0;
  /// Stops: refuses new requests, lets entities finish and store their state for at most `grace`, ends the actors.
  /// False if the grace was too short (nothing is lost then: journals and outbox are rows). Waits.
  virtual bool stop(std::chrono::milliseconds grace) = 0;
  /// The same without waiting; `until_stopped` is let go of when everything has ended.
  virtual void begin_stop(std::shared_ptr<void> until_stopped) = 0;

  /// A further shard belongs to this node. For the cluster. What its last owner left to do is taken up at once.
  virtual void take_shard(fence right) = 0;
  /// Stops what lives in the shard, with snapshots; `until_released` is let go of at the end. For the cluster.
  virtual void release_shard(shard_id shard, std::shared_ptr<void> until_released) = 0;
  /// The shard is lost, also one that is being released: ends what lives in it at once, without storing anything. For
  /// the cluster.
  virtual void abandon_shard(shard_id shard) = 0;
  /// Asks an entity whose shard is here. `fenced`: it is not, or not any more, and nothing was carried out. For the
  /// cluster, which must not send on what another node sent here.
  virtual void ask_here(entity_ref ref, call_context context, message request, reply_handler reply) = 0;
};

std::unique_ptr<entity_runtime> make_entity_runtime(runtime_deps deps, const entity_options& options = {});

} // namespace tobit::entity
