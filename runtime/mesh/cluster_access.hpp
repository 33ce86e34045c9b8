#pragma once

#include "runtime/entity/entity_residency.hpp"
#include "schemas/call_context.hpp"
#include "schemas/error.hpp"
#include "schemas/ids.hpp"
#include "schemas/json.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tobit::mesh {

/// What is in the memories of all nodes that answered in time.
class gathered_residents final : public entity::entity_residency {
public:
  std::optional<entity::residency> resident(const entity_ref& ref) const override {
    const auto found = by_ref.find(ref);
    return found == by_ref.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<entity_ref> residents() const override {
    std::vector<entity_ref> all;
    for (const auto& one : by_ref) all.push_back(one.first);
    return all;
  }

  std::map<entity_ref, entity::residency> by_ref;
  std::vector<std::string> silent; ///< nodes that did not answer in time
};

/// What people may see and do of the cluster, from any of its nodes. Thread-safe; callbacks run once each, on an
/// unspecified thread, and must not block.
class cluster_access {
public:
  virtual ~cluster_access() = default;

  /// What this node knows: {cluster_id, self, version, nodes, shards, leader, requests_parked, requests_open}.
  virtual void inspect(std::function<void(json)> done) = 0;
  /// Every member's own account: [{node, answered, document | error}]. A member that does not answer before the
  /// deadline is named with the error.
  virtual void inspect_nodes(call_context context, std::function<void(json)> done) = 0;
  /// Which of these entities are in memory, and where; without `only` all, at most 100,000 of each node.
  virtual void residents(call_context context, std::vector<entity_ref> only,
                         std::function<void(std::shared_ptr<const gathered_residents>)> done) = 0;
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
