#pragma once

#include "actors/rule/field_reader.hpp"

namespace tobit::rule::pattern {

/// Checks the trigger_spec of a rule of the type "pattern" and gives its normalised form with all defaults, see
/// docs/patterns.md. What can never match, would match for ever, or is no pattern is refused. The caller closes `in`.
json read_pattern(field_reader& in);

/// The events that some step wants: one interest for all of them. `trigger_spec` is normalised.
json event_interest_of(const json& trigger_spec);

} // namespace tobit::rule::pattern
