-- Notices that no channel could deliver. Kept for a person to look at, replay or remove.
CREATE TABLE dead_letter (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  channel TEXT NOT NULL,
  channel_type TEXT NOT NULL,
  notice_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  severity TEXT NOT NULL,
  title TEXT NOT NULL,
  error_name TEXT NOT NULL,
  error TEXT NOT NULL,
  attempts {int} NOT NULL,
  tried TEXT NOT NULL,
  recipients TEXT NOT NULL DEFAULT '[]',
  notice TEXT NOT NULL,
  at {int} NOT NULL,
  replayed_at {int},
  replayed_by TEXT
);
CREATE INDEX dead_letter_by_time ON dead_letter (tenant, at, id);
CREATE INDEX dead_letter_age ON dead_letter (at);

-- How every notice ended at a channel: sent, failed, passed_on, rate_limited, paused.
CREATE TABLE channel_delivery (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  channel TEXT NOT NULL,
  channel_type TEXT NOT NULL,
  notice_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  severity TEXT NOT NULL,
  outcome TEXT NOT NULL,
  error TEXT NOT NULL DEFAULT '',
  attempts {int} NOT NULL DEFAULT 0,
  took_ms {int} NOT NULL DEFAULT 0,
  at {int} NOT NULL
);
CREATE INDEX channel_delivery_by_time ON channel_delivery (tenant, at);
CREATE INDEX channel_delivery_age ON channel_delivery (at);

-- An attempt that must not be repeated without knowing how it ended (mail, Slack, SMS, Teams) is written down before it
-- begins. A row that is found when the same attempt begins again says that the process died in the middle.
CREATE TABLE channel_attempt (
  effect_id TEXT NOT NULL,
  attempt {int} NOT NULL,
  at {int} NOT NULL,
  PRIMARY KEY (effect_id, attempt)
);
CREATE INDEX channel_attempt_age ON channel_attempt (at);
