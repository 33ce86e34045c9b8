#pragma once

#include "http/route/exchange.hpp"
#include "runtime/entity/entity_logic.hpp"
#include "schemas/json.hpp"

#include <vector>

namespace tobit::http {

struct route_deps;

/// A definition of a rule that was checked and not saved.
struct checked_rule {
  entity_ref ref;
  entity::compiled_definition compiled;
};

/// Checks `body` as the rule's own compile step does. `before`: the definition that it changes, or null. Errors: those
/// of the compile step; not_implemented if this node has no rules.
result<checked_rule> check_rule(const route_deps& deps, const exchange& ex, const json& body,
                                const json* before = nullptr);

/// What a checked rule would say of a payload: {condition_evaluated, would_execute, resolved_action, references}.
/// Evaluates as live rules do, with an empty past.
result<json> rehearse_rule(const route_deps& deps, const exchange_ptr& ex, const checked_rule& rule, json payload);

/// The next times of a schedule, RFC 3339; empty for other rules.
json next_ticks(const checked_rule& rule, utc_time now, std::size_t count);

} // namespace tobit::http
