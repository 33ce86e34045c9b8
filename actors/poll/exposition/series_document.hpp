#pragma once

#include "actors/poll/exposition/series.hpp"
#include "schemas/json.hpp"

#include <string_view>
#include <vector>

namespace tobit::poll {

/// Makes what a rule gets to see of series. `reduce` says what becomes of several:
///   one             more than one is an error;
///   first           the first as the server gave them;
///   max, min, sum, avg   NaN is left out of max and min;
///   each            {"readings": [{…}, …]}: each series is a reading by itself, for rules with `group_by`.
/// A reading is {"value", "metric", "labels": {…}, "series": how many} with each label beside them as well, where the
/// name is free. Without any series: {"value": null, "series": 0}. What is not finite is text, as Prometheus writes it:
/// "NaN", "+Inf", "-Inf". Errors: external_service_error.
result<json> series_document(const std::vector<series>& all, std::string_view reduce);

} // namespace tobit::poll
