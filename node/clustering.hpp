#pragma once

#include "cluster/service/cluster_service.hpp"
#include "node/leading.hpp"
#include "runtime/intake/event_intake.hpp"
#include "runtime/mesh/cluster_access.hpp"
#include "runtime/stream/event_bus.hpp"

#include <memory>
#include <string>
#include <vector>

namespace tobit::node {

/// How this node takes part in its cluster.
struct clustering_options {
  cluster::node_profile profile; ///< its address is filled in from the links
  std::string advertised;        ///< host:port that others dial; empty: where it listens
  cluster::cluster_times times;
  cluster::link_options links;
  std::string database_url;
  storage::database_options database;
  std::chrono::milliseconds join_patience{30'000};
};

/// All of it outlives the part, `leading` included.
struct clustering_deps {
  caf::actor_system* actors = nullptr;
  storage::database* store = nullptr;
  anchored_clock* time = nullptr; ///< follows the database's clock from now on
  leading* lead = nullptr;
  stream::event_bus* bus = nullptr; ///< of this node alone
  telemetry::logger* log = nullptr;
  event::event_limits events;
};

/// What makes a node a member: the cluster's service, and what of the program reaches over to the other nodes.
class clustering : public mesh::cluster_access {
public:
  /// Reads the store's cluster id and number of shards. Errors: those of the database; configuration_error (the store
  /// is of another cluster, or of none).
  static result<std::unique_ptr<clustering>> open(clustering_deps deps, clustering_options options);

  virtual cluster::cluster_service& service() noexcept = 0;
  /// Joins. `entities` is what was made with `service()` as its ports. Waits.
  virtual result<void> start(entity::entity_runtime& entities) = 0;
  /// What `leading` does, reached from this node.
  virtual event::event_intake& intake() noexcept = 0;
  /// Tells this node's leading work, and the other nodes', what entities want.
  virtual std::vector<entity::interest_listener*> listeners() = 0;
  /// The node's bus; what is published here is seen at all nodes.
  virtual stream::event_bus& bus() noexcept = 0;
  /// A source that has some member read, in turn, what the leader would read alone; `here` reads on this node.
  virtual poll::metric_source& spread(poll::metric_source& here) = 0;
  /// For `runtime_deps`.
  virtual std::function<void(const entity::fence&)> shard_refused() = 0;
  /// Hands everything over and leaves.
  virtual void stop(std::chrono::milliseconds grace) = 0;
};

} // namespace tobit::node
