#include "node/kept_rows.hpp"

namespace tobit::node {

using config::setting;

std::vector<storage::retention_rule> kept_rows(const config::settings& from) {
  const auto keep = [&](setting id) { return from.duration<std::chrono::microseconds>(id); };
  return {
      {"executions",
       "DELETE FROM rule_execution WHERE exec_id IN (SELECT exec_id FROM rule_execution WHERE triggered_at < $1 ORDER "
       "BY "
       "triggered_at LIMIT $2)",
       keep(setting::retention_executions)},
      {"records",
       "DELETE FROM rule_event WHERE event_id IN (SELECT event_id FROM rule_event WHERE triggered_at < $1 ORDER BY "
       "triggered_at LIMIT $2)",
       keep(setting::retention_executions)},
      {"deliveries",
       "DELETE FROM channel_delivery WHERE id IN (SELECT id FROM channel_delivery WHERE at < $1 ORDER BY at LIMIT $2)",
       keep(setting::retention_deliveries)},
      {"dead letters",
       "DELETE FROM dead_letter WHERE id IN (SELECT id FROM dead_letter WHERE at < $1 ORDER BY at LIMIT $2)",
       keep(setting::retention_dead_letters)},
      // Older than any effect that is still tried: the outbox tries for hours at most.
      {"attempts",
       "DELETE FROM channel_attempt WHERE (effect_id, attempt) IN (SELECT effect_id, attempt FROM channel_attempt "
       "WHERE "
       "at < $1 ORDER BY at LIMIT $2)",
       std::chrono::hours{24 * 30}},
      {"alerts",
       "DELETE FROM alert WHERE alert_id IN (SELECT alert_id FROM alert WHERE status IN ('resolved', 'inactive') AND "
       "updated_at < $1 ORDER BY updated_at LIMIT $2)",
       keep(setting::retention_alerts)},
      {"alert history",
       "DELETE FROM alert_history WHERE history_id IN (SELECT history_id FROM alert_history WHERE at < $1 ORDER BY at "
       "LIMIT $2)",
       keep(setting::retention_alerts)},
      {"notification log",
       "DELETE FROM notification_log WHERE log_id IN (SELECT log_id FROM notification_log WHERE fired_at < $1 ORDER BY "
       "fired_at LIMIT $2)",
       keep(setting::retention_alerts)},
      {"silences",
       "DELETE FROM silence WHERE silence_id IN (SELECT silence_id FROM silence WHERE ends_at < $1 ORDER BY ends_at "
       "LIMIT $2)",
       keep(setting::retention_alerts)},
      {"backtests",
       "DELETE FROM job WHERE job_id IN (SELECT job_id FROM job WHERE created_at < $1 AND finished_at IS NOT NULL"
       " ORDER BY created_at LIMIT $2)",
       keep(setting::retention_executions)},
      {"spans",
       "DELETE FROM span WHERE (trace_id, span_id) IN (SELECT trace_id, span_id FROM span WHERE started_at < $1 ORDER "
       "BY "
       "started_at LIMIT $2)",
       keep(setting::retention_spans)},
      {"audit",
       "DELETE FROM audit_log WHERE audit_id IN (SELECT audit_id FROM audit_log WHERE created_at < $1 ORDER BY "
       "created_at "
       "LIMIT $2)",
       keep(setting::retention_audit)},
      {"sign-ins",
       "DELETE FROM refresh_token WHERE id IN (SELECT id FROM refresh_token WHERE expires_at < $1 ORDER BY expires_at "
       "LIMIT $2)",
       std::chrono::hours{24}},
  };
}

} // namespace tobit::node
