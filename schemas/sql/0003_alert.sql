-- Alerts: those that are pending or fire, and those that were. One row per alert, from its first match to its
-- resolution. `event_id` is the row of rule_event that shows it.
CREATE TABLE alert (
  alert_id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  rule_id TEXT NOT NULL,
  rule_name TEXT NOT NULL,
  rule_version {int} NOT NULL,
  alert_key TEXT NOT NULL,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  flapping {int} NOT NULL DEFAULT 0,
  severity TEXT NOT NULL,
  summary TEXT NOT NULL,
  labels TEXT NOT NULL,
  annotations TEXT NOT NULL,
  readings TEXT NOT NULL,
  silenced_by TEXT,
  inhibited_by TEXT,
  started_at {int} NOT NULL,
  fired_at {int},
  resolved_at {int},
  updated_at {int} NOT NULL,
  ack {int} NOT NULL DEFAULT 0,
  ack_at {int},
  ack_by TEXT,
  ack_comment TEXT,
  event_id TEXT,
  exec_id TEXT NOT NULL,
  trace_id TEXT NOT NULL
);
CREATE INDEX alert_by_time ON alert (tenant, updated_at, alert_id);
CREATE INDEX alert_by_status ON alert (tenant, status, updated_at, alert_id);
CREATE INDEX alert_by_rule ON alert (tenant, rule_id, updated_at, alert_id);
CREATE INDEX alert_by_event ON alert (event_id);
CREATE INDEX alert_ended ON alert (updated_at) WHERE status IN ('resolved', 'inactive');

-- Everything that happened to an alert, and every decision to tell somebody or not, with the reason.
CREATE TABLE alert_history (
  history_id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  alert_id TEXT NOT NULL,
  at {int} NOT NULL,
  what TEXT NOT NULL,
  reason TEXT NOT NULL,
  done_by TEXT,
  policy_id TEXT,
  notice_id TEXT,
  trace_id TEXT NOT NULL
);
CREATE INDEX alert_history_by_alert ON alert_history (alert_id, at, history_id);
CREATE INDEX alert_history_by_time ON alert_history (at);

-- What notifications told or did not tell: a row per channel and notice. `log_id` is the id of the notice.
CREATE TABLE notification_log (
  log_id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  notification_id TEXT NOT NULL,
  name TEXT NOT NULL,
  channel TEXT NOT NULL,
  fired_at {int} NOT NULL,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  payload TEXT NOT NULL,
  response_status {int},
  response_body TEXT,
  dedup_key TEXT NOT NULL,
  ack {int} NOT NULL DEFAULT 0,
  ack_at {int},
  ack_by TEXT,
  alert_count {int} NOT NULL DEFAULT 0,
  settled_at {int},
  trace_id TEXT NOT NULL
);
CREATE INDEX notification_log_by_policy ON notification_log (tenant, notification_id, fired_at, log_id);
CREATE INDEX notification_log_by_time ON notification_log (fired_at);

-- Silences, also those that have ended.
CREATE TABLE silence (
  silence_id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  matchers TEXT NOT NULL,
  starts_at {int} NOT NULL,
  ends_at {int} NOT NULL,
  comment TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at {int} NOT NULL,
  updated_by TEXT NOT NULL,
  updated_at {int} NOT NULL
);
CREATE INDEX silence_by_end ON silence (tenant, ends_at, silence_id);
