#pragma once

#include "schemas/json.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace tobit::http {

/// What the durations and outcomes of a rule's latest executions say, as the contract §2.12 has it.
struct execution_sample {
  std::vector<std::int64_t> durations_ms; ///< in any order
  std::int64_t errors = 0;
};

/// Most executions of one rule that are looked at: the latest.
inline constexpr std::int64_t execution_sample_max = 1'000;
/// The share of executions without an error from which on a rule is called healthy.
inline constexpr double healthy_ratio = 0.99;

/// {sample_count, success_ratio, healthy, p50_ms, p95_ms, p99_ms}. A rule that never ran is healthy.
json shown_health(execution_sample sample);

/// The contract's class of an error by words in its message: timeout, connection, validation, authentication, other;
/// unknown if there is no message.
std::string_view error_class(std::string_view message);

/// All classes, in the contract's order.
const std::vector<std::string_view>& error_classes();

} // namespace tobit::http
