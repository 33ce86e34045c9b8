#pragma once

#include "cluster/cluster_times.hpp"
#include "cluster/store/database_command.hpp"
#include "cluster/store/store_gateway.hpp"
#include "cluster/transport/peer_links.hpp"
#include "runtime/entity/entity_runtime.hpp"
#include "runtime/time/clock.hpp"

#include <caf/fwd.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tobit::cluster {

struct node_report;

/// What the cluster has the program do. Called on the cluster's actor: must only enqueue.
struct cluster_hooks {
  std::function<void(epoch_no epoch, incarnation_no self)> start_leading;
  std::function<void(epoch_no epoch)> stop_leading;
  std::function<void(const node_report&)> report;               ///< for the log, the metrics and the operator
  std::function<void(incarnation_no)> peer_linked;              ///< casts may have been lost before
  std::function<void(const link_refusal&)> refused;             ///< a connection that was not made
  std::function<void(const std::vector<std::string>&)> members; ///< the names have changed; sorted
  std::function<void(const std::string&)> told;                 ///< by another node over the database, for the log
  std::function<void(utc_time)> database_time;                  ///< the database's clock, about every renewal
};

struct cluster_service_deps {
  caf::actor_system* system = nullptr;
  const clock* time = nullptr;
  node_profile profile;
  cluster_times times;
  shard_id shard_count = 0;
  cluster_hooks hooks;
  std::string advertised; ///< host:port that others dial; empty: where the links listen
  /// Make the two ways out; called once by `start`.
  std::function<result<std::unique_ptr<peer_links>>(link_events)> open_links;
  std::function<std::unique_ptr<store_gateway>(store_events)> open_store;
};

/// This node in its cluster: runs the protocol (`cluster_node`), carries out what it decides, and fills the runtime's
/// ports, so that entities are reached wherever they are. Thread-safe.
///
/// Delivery of requests: at most once to an entity; one that came back untouched is sent again until its deadline. One
/// whose node was lost is answered `unavailable`: nobody knows what became of it.
class cluster_service : public entity::placement, public entity::remote_delivery {
public:
  using reply_handler = entity::entity_gateway::reply_handler;
  /// Answers requests for this node (or the leader). `fenced`: not here, look again (only for the leader).
  using server = std::function<void(call_context, message, reply_handler)>;

  /// Who answers a message that is sent to nodes or to the leader. Before `start`.
  virtual void serve(std::string_view wire_name, server answer) = 0;
  /// Who hears a cast. Before `start`.
  virtual void hear(std::string_view wire_name, std::function<void(const message&)> listen) = 0;

  /// Joins. Waits at most `patience` until this node is a member. Errors: configuration_error with the reason if the
  /// cluster refuses it for good; unavailable if it took too long (it goes on trying).
  virtual result<void> start(entity::entity_runtime& entities, std::chrono::milliseconds patience) = 0;

  /// Asks whoever leads now or within the deadline. `repeatable`: the request does no harm if it is carried out twice;
  /// then it is sent again when the leader was lost meanwhile.
  virtual void ask_leader(call_context context, message request, bool repeatable, reply_handler reply) = 0;
  struct node_answer {
    std::string node;
    result<message> answer;
  };
  /// Asks every member, this one included, and waits for each until the deadline at most.
  virtual void ask_all(call_context context, message request, std::function<void(std::vector<node_answer>)> done) = 0;
  /// Asks one member. Errors: also not_found (no member of this name).
  virtual void ask_node(const std::string& node, call_context context, message request, reply_handler reply) = 0;
  /// Asks one member or another, in turn, this one included.
  virtual void ask_any(call_context context, message request, reply_handler reply) = 0;
  /// Tells all linked peers; best effort, in order for each.
  virtual void cast(const message& what) = 0;

  /// What this node knows: {self, nodes, shards, leader, links, parked}. `done` runs on the cluster's actor.
  virtual void inspect(std::function<void(json)> done) = 0;
  /// A write of this shard was refused: somebody else owns it.
  virtual void shard_refused(shard_id shard, epoch_no epoch) = 0;
  /// An act of the leader was refused under this epoch.
  virtual void leading_refused(epoch_no epoch) = 0;
  /// Has a member hand its shards over and leave; this one included.
  virtual void drain_node(const std::string& node, const std::string& reason,
                          std::function<void(result<void>)> done) = 0;
  /// Leaves in order (at most `grace`), then ends everything.
  virtual void stop(std::chrono::milliseconds grace) = 0;
};

std::unique_ptr<cluster_service> make_cluster_service(cluster_service_deps deps);

} // namespace tobit::cluster
