#pragma once

#include "actors/rule/evaluator.hpp"
#include "actors/rule/pattern/partial_match.hpp"

namespace tobit::rule::pattern {

/// The document of a match: {"pattern", "started_at", "ended_at", "duration_seconds", and for each step or member that
/// took events, by its name: "id", "type", "source", "time" of the first event, "count", the fields that are kept of
/// it, "last" (the same of the latest, if there are several) and "events" (id, type, time of the first ones and the
/// latest)}. Messages find `{{A.user}}`, `{{A.count}}`, `{{A.last.user}}` in it.
json to_document(const compiled_pattern& by, const complete_match& match);

/// The verdict of a match; `labels` are the values of `group_by`.
trigger_verdict to_verdict(const compiled_pattern& by, const complete_match& match, const json& document,
                           const json& labels);

} // namespace tobit::rule::pattern
