#pragma once

#include "actors/rehearsal/course.hpp"
#include "actors/rehearsal/world.hpp"
#include "runtime/entity/kind_registry.hpp"
#include "schemas/entity/interest_spec.hpp"
#include "schemas/event/event.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tobit::rehearsal {

/// A rule on the scene, and what wakes it.
struct actor_rule {
  entity_ref ref;
  std::string name;
  json definition; ///< normalised
  std::optional<entity::event_interest> events;
  bool has_alerts = false;
};

/// A world with rules, the tenant's alerting and channels, and the parts of the node that bring events to rules.
/// Used by one thread.
class scene {
public:
  /// `kinds` and `watcher` outlive the scene.
  scene(const entity::kind_registry& kinds, tenant_id tenant, utc_time start, world_watcher* watcher,
        const world_limits& limits = {})
      : kinds_(kinds), tenant_(std::move(tenant)), world_(start, watcher, limits) {}

  /// Adds a rule as users write it, switched on whatever it says. Errors: those of compiling.
  result<void> add_rule(const std::string& key, const json& body);
  /// The same from a stored definition of that version.
  result<void> add_stored_rule(const std::string& key, std::int64_t version, json definition);
  /// Adds an entity of another kind as users write it. Errors: not_implemented (no such kind), those of compiling.
  result<void> add(std::string_view kind, const std::string& key, const json& body);

  const std::vector<actor_rule>& rules() const noexcept { return rules_; }
  /// By id, else by name; the only one for an empty text. Null: none, or several.
  const actor_rule* find_rule(std::string_view name_or_id) const;
  entity_ref ref(std::string_view kind, std::string key) const { return {std::string(kind), tenant_, std::move(key)}; }

  /// Brings events to the rules whose interests let them through, all of one moment in one message, as the node does.
  result<void> push(const std::vector<std::shared_ptr<const event::event>>& events);

  world& stage() noexcept { return world_; }

private:
  void note_rule(const entity_ref& ref, std::string name, const json& definition,
                 const std::vector<entity::interest>& interests);

  const entity::kind_registry& kinds_;
  const tenant_id tenant_;
  world world_;
  std::vector<actor_rule> rules_;
  std::uint64_t next_offset_ = 1;
};

/// True if the interest lets an event of this type and source through.
bool lets_through(const entity::event_interest& wanted, std::string_view type, std::string_view source) noexcept;

} // namespace tobit::rehearsal
