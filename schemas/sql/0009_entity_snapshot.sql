-- The state of an entity leaves its row: every decision changes the row, and SQLite writes a changed row anew as a whole,
-- which for a state of tens of megabytes takes longer than everything else together.
CREATE TABLE entity_snapshot (
  kind TEXT NOT NULL,
  tenant TEXT NOT NULL,
  entity_key TEXT NOT NULL,
  state {bytes} NOT NULL,
  PRIMARY KEY (kind, tenant, entity_key)
);
INSERT INTO entity_snapshot (kind, tenant, entity_key, state)
  SELECT kind, tenant, entity_key, snapshot FROM entity WHERE snapshot IS NOT NULL;
ALTER TABLE entity DROP COLUMN snapshot;
