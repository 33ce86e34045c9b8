#pragma once

#include "schemas/call_context.hpp"
#include "schemas/error.hpp"
#include "schemas/ids.hpp"
#include "schemas/json.hpp"

#include <functional>
#include <string>

namespace tobit::mesh {

/// What people may see and do of the cluster, from any of its nodes. Thread-safe; callbacks run once each, on an
/// unspecified thread, and must not block.
class cluster_access {
public:
  virtual ~cluster_access() = default;

  /// What this node knows: {cluster_id, self, version, nodes, shards, leader, requests_parked, requests_open}.
  virtual void inspect(std::function<void(json)> done) = 0;
  /// Every member's own account: [{node, answered, document | error}]. A member that does not answer before the
  /// deadline is named with the error. `residents`: with the entities in its memory.
  virtual void inspect_nodes(call_context context, bool residents, std::function<void(json)> done) = 0;
  /// How the leader's polling goes. Errors: deadline_exceeded while nobody leads.
  virtual void inspect_polling(call_context context, std::function<void(result<json>)> done) = 0;

  /// Has a node hand its shards over and leave the cluster; it stops serving requests to entities of its own, not HTTP.
  /// Errors: not_found, unavailable (no link to it).
  virtual void drain_node(const std::string& node, const std::string& reason,
                          std::function<void(result<void>)> done) = 0;
  /// Forgets a node that is gone for good. Errors: not_found, conflict (it is a member: drain or stop it first).
  virtual void remove_node(const std::string& node, std::function<void(result<void>)> done) = 0;

  /// The node that owns the entity's shard, as far as is known here; may be empty.
  virtual std::string node_of(const entity_ref& ref) const = 0;
};

} // namespace tobit::mesh
