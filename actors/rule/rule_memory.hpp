#pragma once

#include "actors/rule/action_run.hpp"
#include "schemas/error.hpp"
#include "schemas/message.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
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
  std::int64_t inputs_sequence = 0;              ///< of the last `inputs_taken` that the evaluator's state holds
  std::int64_t throttled = 0;                    ///< firings left out since the rule exists
  run_table runs;                                ///< firings whose actions are under way
  std::deque<std::uint64_t> deliveries;          ///< marks of the latest messages of other rules, oldest first

  /// Another rule said this already.
  bool knows(const std::string& delivery_id) const;

  /// Other messages change nothing. The inputs themselves are the evaluator's matter; here only their place counts.
  void apply(const message& event);
};

/// What a snapshot holds: the memory, and the state of the evaluator as it wrote it.
struct rule_snapshot {
  rule_memory memory;
  std::string evaluator;        ///< empty: none, or of another trigger_spec
  std::vector<double> baseline; ///< of an anomaly rule of an earlier release
  json alerts;                  ///< of the table of alerts; null: none
};

/// A line of JSON with a version, then the evaluator's bytes; `trigger` marks the trigger_spec that metric_matched and
/// the evaluator's state belong to.
std::string to_snapshot(const rule_memory& memory, std::string_view evaluator, std::uint64_t trigger,
                        std::string_view alerts = {});

/// Reads what any release wrote. What belongs to another trigger_spec is left out.
/// Errors: internal_server_error for what is not a snapshot.
result<rule_snapshot> from_snapshot(std::string_view snapshot, std::uint64_t trigger);

} // namespace tobit::rule
