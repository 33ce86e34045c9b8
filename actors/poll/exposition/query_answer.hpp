#pragma once

#include "actors/poll/exposition/series.hpp"
#include "schemas/json.hpp"

#include <vector>

namespace tobit::poll {

/// Reads the answer to an instant query of Prometheus's HTTP API
/// (https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries): a scalar or a vector. Errors:
/// external_service_error with the server's own words for a query that failed, or saying which type of result came.
result<std::vector<series>> read_query_answer(const json& answer);

} // namespace tobit::poll
