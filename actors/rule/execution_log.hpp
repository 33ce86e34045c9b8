#pragma once

#include "runtime/storage/statement.hpp"
#include "schemas/ids.hpp"
#include "schemas/json.hpp"
#include "schemas/time.hpp"

#include <chrono>
#include <cstdint>
#include <string>

/// The rows that a rule leaves behind, written in the transaction of the decision.
namespace tobit::rule {

/// Largest `refs` and `payload`, in bytes of JSON; larger ones are kept in part and marked.
inline constexpr std::size_t references_bytes_max = 16 * 1024;
inline constexpr std::size_t payload_bytes_max = 64 * 1024;

/// One row of `rule_execution`.
struct execution {
  std::string exec_id;
  tenant_id tenant;
  std::string rule_id;
  std::int64_t version = 0;
  utc_time at;
  std::string_view status; ///< pending (effects are on their way) | success | dry_run | fail | throttled | cancelled
  std::string executed_by; ///< a principal, or "schedule", "metric", "event", "anomaly"
  std::string error;       ///< why it failed, for the user
  json references;         ///< {trigger, action}
  trace_id trace;
  json actions = nullptr; ///< how each action stands; null without actions
};
storage::statement insert_execution(const execution& e);

/// How a firing's actions stand now. `took`: since it fired.
struct execution_progress {
  std::string exec_id;
  tenant_id tenant;
  std::string_view status;
  std::string error;
  std::chrono::milliseconds took{0};
  json actions;
};
storage::statement update_execution(const execution_progress& p);

/// The one row of a minute in which a rule fired too often; written again it replaces the count.
storage::statement upsert_throttled(const execution& e);

/// One row of `rule_event`: what the action `store` keeps.
struct stored_event {
  std::string event_id;
  tenant_id tenant;
  std::string rule_id, rule_name, exec_id;
  utc_time at;
  std::string severity, summary;
  json payload;
  trace_id trace;
  std::string written = {}; ///< instead of `payload`: its JSON
};
storage::statement insert_stored_event(const stored_event& e);
/// The same as live streams show it: the fields of `GET /cep/events`.
json to_stream_item(const stored_event& e);

/// The document, or if it is too large its scalar members and the beginning of its text (a quarter,
/// for quoting it again may double it twice).
json bounded(json document, std::size_t bytes_max);
/// `to_text(bounded(…))`, without a copy of the usual document.
std::string bounded_text(const json& document, std::size_t bytes_max);

} // namespace tobit::rule
