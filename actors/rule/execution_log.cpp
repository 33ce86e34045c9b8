#include "actors/rule/execution_log.hpp"

#include "actors/rule/comparison.hpp"

#include <algorithm>

namespace tobit::rule {

namespace {

/// PostgreSQL's text holds no zero bytes, but JSON's does.
std::string storable(std::string text) {
  for (char& c : text)
    if (c == '\0') c = ' ';
  return text;
}

std::string payload_text(const stored_event& e) {
  if (e.written.empty()) return bounded_text(e.payload, payload_bytes_max);
  return e.written.size() <= payload_bytes_max
             ? e.written
             : to_text(bounded(parse_json(e.written).value_or(json()), payload_bytes_max));
}

storage::value text_or_null(const json& document) {
  return document.is_null() ? storage::value{} : storage::value{bounded_text(document, references_bytes_max)};
}

} // namespace

storage::statement insert_execution(const execution& e) {
  return {
      "INSERT INTO rule_execution (exec_id, tenant, rule_id, version, triggered_at, status, duration_ms, executed_by, "
      "error_message, refs, trace_id, actions) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $10, $11)",
      {e.exec_id, e.tenant.value, e.rule_id, e.version, to_micros(e.at), std::string(e.status),
       storable(clip_text(e.executed_by, 200)),
       e.error.empty() ? storage::value{} : storage::value{storable(clip_text(e.error, 1'000))},
       bounded_text(e.references, references_bytes_max), to_string(e.trace), text_or_null(e.actions)},
      {}};
}

storage::statement update_execution(const execution_progress& p) {
  return {"UPDATE rule_execution SET status = $3, error_message = $4, duration_ms = $5, actions = $6"
          " WHERE exec_id = $1 AND tenant = $2",
          {p.exec_id, p.tenant.value, std::string(p.status),
           p.error.empty() ? storage::value{} : storage::value{storable(clip_text(p.error, 1'000))},
           std::max<std::int64_t>(0, p.took.count()), text_or_null(p.actions)},
          {}};
}

storage::statement upsert_throttled(const execution& e) {
  return {
      "INSERT INTO rule_execution (exec_id, tenant, rule_id, version, triggered_at, status, duration_ms, executed_by, "
      "error_message, refs, trace_id) VALUES ($1, $2, $3, $4, $5, 'throttled', 0, $6, $7, $8, $9)"
      " ON CONFLICT (exec_id) DO UPDATE SET error_message = excluded.error_message, refs = excluded.refs",
      {e.exec_id, e.tenant.value, e.rule_id, e.version, to_micros(e.at), e.executed_by, e.error, to_text(e.references),
       to_string(e.trace)},
      {}};
}

storage::statement insert_stored_event(const stored_event& e) {
  return {
      "INSERT INTO rule_event (event_id, tenant, rule_id, rule_name, exec_id, triggered_at, status, severity, summary, "
      "payload, trace_id) VALUES ($1, $2, $3, $4, $5, $6, 'fired', $7, $8, $9, $10)",
      {e.event_id, e.tenant.value, e.rule_id, e.rule_name, e.exec_id, to_micros(e.at), e.severity, storable(e.summary),
       payload_text(e), to_string(e.trace)},
      {}};
}

json to_stream_item(const stored_event& e) {
  return {{"event_id", e.event_id},   {"triggered_at", to_rfc3339(e.at)},
          {"status", "fired"},        {"summary", e.summary},
          {"severity", e.severity},   {"ack", false},
          {"ack_at", nullptr},        {"rule_id", e.rule_id},
          {"rule_name", e.rule_name}, {"notification_id", nullptr},
          {"exec_id", e.exec_id},     {"trace_id", to_string(e.trace)}};
}

std::string bounded_text(const json& document, std::size_t bytes_max) {
  auto text = to_text(document);
  return text.size() <= bytes_max ? text : to_text(bounded(document, bytes_max));
}

json bounded(json document, std::size_t bytes_max) {
  const auto text = to_text(document);
  if (text.size() <= bytes_max) return document;
  json out{{"truncated", true}, {"beginning", clip_text(text, bytes_max / 4)}};
  if (document.is_object())
    for (const auto& [name, value] : document.items())
      if (!value.is_structured() && to_text(value).size() <= clip_max && out.size() < 20) out[name] = value;
  return out;
}

} // namespace tobit::rule
