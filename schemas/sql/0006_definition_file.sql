-- Files of the watched folder (rules_dir) that were applied, and which entities came from which file.
CREATE TABLE definition_file (
  tenant TEXT NOT NULL,
  path TEXT NOT NULL, -- relative to the folder
  content_hash TEXT NOT NULL,
  applied_at {int} NOT NULL,
  PRIMARY KEY (tenant, path)
);
CREATE TABLE definition_owner (
  tenant TEXT NOT NULL,
  kind TEXT NOT NULL,
  entity_key TEXT NOT NULL,
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  PRIMARY KEY (tenant, kind, entity_key)
);
CREATE INDEX definition_owner_by_path ON definition_owner (tenant, path);
