#include "actors/alert/alert_rows.hpp"

#include "actors/rule/execution_log.hpp"

#include <algorithm>

namespace tobit::alert {

namespace {

/// PostgreSQL's text holds no zero bytes, but JSON's does.
std::string storable(std::string text) {
  std::replace(text.begin(), text.end(), '\0', ' ');
  return text;
}

storage::value text_or_null(const std::string& text) {
  return text.empty() ? storage::value{} : storage::value{storable(text)};
}

storage::value time_or_null(std::int64_t us) { return us == 0 ? storage::value{} : storage::value{us}; }

} // namespace

storage::statement alert_row(const alerting_turn& t, const live_alert& a) {
  const auto& f = a.facts;
  const auto resolved = f.status == "resolved" ? f.at_us : 0, fired = f.status == "firing" ? f.at_us : 0;
  return {
      "INSERT INTO alert (alert_id, tenant, rule_id, rule_name, rule_version, alert_key, status, reason, flapping,"
      " severity, summary, labels, annotations, readings, silenced_by, inhibited_by, started_at, fired_at,"
      " resolved_at, updated_at, ack, ack_at, ack_by, ack_comment, event_id, exec_id, trace_id)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,"
      " $23, $24, $25, $26, $27) ON CONFLICT (alert_id) DO UPDATE SET rule_name = excluded.rule_name, rule_version ="
      " excluded.rule_version, status = excluded.status, reason = excluded.reason, flapping = excluded.flapping,"
      " severity = excluded.severity, summary = excluded.summary, labels = excluded.labels, annotations ="
      " excluded.annotations, readings = excluded.readings, silenced_by = excluded.silenced_by, inhibited_by ="
      " excluded.inhibited_by, fired_at = COALESCE(alert.fired_at, excluded.fired_at), resolved_at ="
      " excluded.resolved_at, updated_at = excluded.updated_at, ack = excluded.ack, ack_at = excluded.ack_at, ack_by"
      " = excluded.ack_by, ack_comment = excluded.ack_comment, event_id = COALESCE(alert.event_id,"
      " excluded.event_id)",
      {f.alert_id,
       t.tenant.value,
       f.rule_id,
       storable(f.rule_name),
       f.rule_version,
       storable(f.key),
       f.status,
       storable(f.reason),
       std::int64_t{f.flapping},
       f.severity,
       storable(f.summary),
       storable(to_text(f.labels.is_null() ? json::object() : f.labels)),
       storable(to_text(f.annotations.is_null() ? json::object() : f.annotations)),
       storable(to_text(f.values)),
       text_or_null(a.silenced_by),
       text_or_null(a.inhibited_by),
       f.started_at_us,
       time_or_null(fired),
       time_or_null(resolved),
       t.now_us(),
       std::int64_t{a.acked},
       time_or_null(a.acked_us),
       text_or_null(a.ack_by),
       text_or_null(a.ack_comment),
       f.status == "firing" ? storage::value{f.event_id.empty() ? f.alert_id : f.event_id} : storage::value{},
       f.exec_id,
       f.trace_id}};
}

storage::statement quiet_row(const alerting_turn& t, const live_alert& a) {
  return {"UPDATE alert SET silenced_by = $2, inhibited_by = $3, updated_at = $4 WHERE alert_id = $1",
          {a.facts.alert_id, text_or_null(a.silenced_by), text_or_null(a.inhibited_by), t.now_us()}};
}

storage::statement history_row(alerting_turn& t, const std::string& alert_id, const history_entry& e) {
  return {"INSERT INTO alert_history (history_id, tenant, alert_id, at, what, reason, done_by, policy_id, notice_id,"
          " trace_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
          {t.next_id(), t.tenant.value, alert_id, t.now_us(), std::string(e.what), storable(e.reason),
           text_or_null(e.by), text_or_null(e.policy_id), text_or_null(e.notice_id), t.trace_id}};
}

storage::statement log_row(const alerting_turn& t, const log_entry& e) {
  return {"INSERT INTO notification_log (log_id, tenant, notification_id, name, channel, fired_at, status, reason,"
          " payload, dedup_key, alert_count, trace_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
          {e.log_id, t.tenant.value, e.policy_id, storable(e.policy_name), storable(e.channel), t.now_us(),
           std::string(e.status), storable(e.reason), storable(rule::bounded_text(e.payload, log_payload_bytes_max)),
           storable(e.group), e.alerts, t.trace_id}};
}

storage::statement settled_row(const alerting_turn& t, const std::string& notice_id, std::string_view status,
                               const std::string& error, const json& answer) {
  const auto number = answer.is_object() ? answer.value("status", json()) : json();
  const auto body = answer.is_object() ? answer.value("body", json()) : json();
  return {"UPDATE notification_log SET status = $2, reason = CASE WHEN CAST($3 AS TEXT) = '' THEN reason ELSE $3 END, "
          "settled_at = $4,"
          " response_status = COALESCE(CAST($5 AS BIGINT), response_status), response_body = COALESCE(CAST($6 AS TEXT),"
          " response_body) WHERE log_id = $1 AND settled_at IS NULL",
          {notice_id, std::string(status), storable(error.substr(0, 1'000)), t.now_us(),
           number.is_number_integer() ? storage::value{number.get<std::int64_t>()} : storage::value{},
           body.is_string() ? storage::value{storable(body.get<std::string>().substr(0, 1'024))} : storage::value{}}};
}

storage::statement silence_row(const alerting_turn& t, const silence& s, const std::string& by) {
  return {"INSERT INTO silence (silence_id, tenant, matchers, starts_at, ends_at, comment, created_by, created_at,"
          " updated_by, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (silence_id) DO UPDATE"
          " SET matchers = excluded.matchers, starts_at = excluded.starts_at, ends_at = excluded.ends_at, comment ="
          " excluded.comment, updated_by = excluded.updated_by, updated_at = excluded.updated_at",
          {s.id, t.tenant.value, storable(to_text(s.matchers)), s.starts_us, s.ends_us, storable(s.comment),
           storable(s.created_by), s.created_us, storable(by), t.now_us()}};
}

} // namespace tobit::alert
