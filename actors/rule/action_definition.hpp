#pragma once

#include "actors/rule/field_reader.hpp"
#include "runtime/outbound/http_client.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tobit::rule {

inline constexpr std::size_t actions_max = 20;

/// Ranks of importance, lowest first.
const std::vector<std::string_view>& severities();

/// What the checks of actions look at besides the actions.
struct action_checks {
  const outbound::guard_options& guard;
  std::string_view rule_id; ///< whose actions they are
};

/// Checks a rule's `action_spec` — one action, a list of them, or `{"type":"multi_action","actions":[…]}` — and gives
/// its normalised form: an empty object (no action), one action, or a multi_action. See docs/rules.md.
json read_action_spec(verdict& v, const json& spec, const action_checks& checks);

/// The first action that wants to run when an alert is resolved, as a JSON pointer; empty if there is none.
std::string pointer_to_resolved(const json& action_spec);

/// The actions of a normalised `action_spec`, in order.
std::vector<json> actions_of(const json& action_spec);

} // namespace tobit::rule
