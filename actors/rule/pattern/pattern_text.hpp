#pragma once

#include "schemas/json.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace tobit::rule::pattern {

/// A pattern in one line, as people write it:
///
///     pattern  = ["every" | "first"] ["no" step "then"] step {link} "within" duration ["by" field {"," field}]
///     link     = ("then" | "->") step | ("then" | "and") "no" step
///     step     = event [repeat] {"or" event} | event {"and" event}
///     repeat   = "{" n "}" | "{" n ",}" | "{" n "," m "}"
///     event    = [name "="] type         a glob; without a name, the type with _ for everything that is no letter or
///     digit duration = a number and s, m, h or d
///
/// Gives {"steps": […], "within_seconds": n} and, if written, "group_by" and "start", as one would write them in JSON;
/// `where` has conditions by name that become part of the steps. Only the form is checked here.
/// Errors: validation_error with a sentence.
result<json> parse_pattern_text(std::string_view line, const json& where);

/// A normalised trigger_spec in one line, by the names of its steps: "fail{3} then ok within 5m by user".
std::string line_of(const json& trigger_spec);

/// 300 is "5m".
std::string duration_text(std::int64_t seconds);

} // namespace tobit::rule::pattern
