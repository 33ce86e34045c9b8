#pragma once

#include "actors/rule/field_reader.hpp"
#include "runtime/outbound/http_client.hpp"

namespace tobit::rule {

inline constexpr std::size_t actions_max = 20;

/// Ranks of importance, lowest first.
const std::vector<std::string_view>& severities();

/// Checks a rule's `action_spec` — one action, a list of them, or `{"type":"multi_action","actions":[…]}` — and gives
/// its normalised form: an empty object (no action), one action, or a multi_action. See docs/rules.md.
json read_action_spec(verdict& v, const json& spec, const outbound::guard_options& guard);

/// The actions of a normalised `action_spec`, in order.
std::vector<json> actions_of(const json& action_spec);

} // namespace tobit::rule
