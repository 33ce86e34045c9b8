-- When an entity wants to be woken, written with the decision that wants it. Never later than what the entity wants: a
-- wake that comes too early is harmless.
ALTER TABLE entity ADD COLUMN wake_at {int};
CREATE INDEX entity_wake ON entity (wake_at)
  WHERE wake_at IS NOT NULL AND enabled = 1 AND deleted_at IS NULL AND quarantined_at IS NULL;

-- An effect may ask for a report: once it is settled, `outcome` says how, and `report_at` when its entity is told (next).
-- NULL again: the entity took the report, or, with a `report_error`, it was given up.
ALTER TABLE outbox ADD COLUMN report {int} NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN report_at {int};
ALTER TABLE outbox ADD COLUMN report_attempts {int} NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN report_error TEXT;
ALTER TABLE outbox ADD COLUMN outcome TEXT;
CREATE INDEX outbox_report ON outbox (report_at) WHERE report_at IS NOT NULL;
