#pragma once

#include "schemas/error.hpp"
#include "schemas/message.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tobit::rule {

/// What a rule remembers durably. Changed only by the events of `schemas/rule/rule_events.hpp`; small.
struct rule_memory {
  std::int64_t fired = 0;                        ///< firings since the rule exists
  std::int64_t last_fired_at_us = 0;             ///< 0: never
  std::int64_t last_due_at_us = 0;               ///< the latest tick that was decided
  std::int64_t last_observed_at_us = 0;          ///< the latest metric that fired
  std::map<std::int64_t, std::uint64_t> offsets; ///< by partition: everything up to here is decided
  bool metric_matched = false;                   ///< for rules that fire on change
  std::vector<double> baseline;                  ///< for anomaly rules that learn, oldest first
  std::size_t baseline_max = 1'000;              ///< from the definition; not stored

  /// Other messages change nothing.
  void apply(const message& event);
};

/// JSON with a version; `trigger` marks the trigger_spec that metric_matched and baseline belong to.
std::string to_snapshot(const rule_memory& memory, std::uint64_t trigger);

/// Reads what any release wrote. What belongs to another trigger_spec is left out.
/// Errors: internal_server_error for what is not a snapshot.
result<rule_memory> from_snapshot(std::string_view snapshot, std::uint64_t trigger);

} // namespace tobit::rule
