#pragma once

#include "actors/poll/exposition/series.hpp"
#include "actors/poll/exposition/series_selector.hpp"
#include "schemas/error.hpp"

#include <string_view>
#include <vector>

namespace tobit::poll {

/// Reads a page of metrics: Prometheus's text format 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/), and of OpenMetrics what differs: exemplars,
/// timestamps in seconds and `# EOF` are understood and left out. Buckets of histograms and quantiles of summaries are
/// series like others. Gives the series that the selector wants, in the order of the page. Untrusted; time linear in
/// the page. Errors: external_service_error with the number of the line that is none of the format's; more than
/// `series_max` wanted series.
result<std::vector<series>> read_exposition(std::string_view page, const series_selector& wanted);

/// A number as Prometheus writes it: also +Inf, -Inf and NaN. False if the text is none.
bool read_value(std::string_view text, double& out);

} // namespace tobit::poll
