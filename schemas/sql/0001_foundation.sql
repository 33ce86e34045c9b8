-- Portable SQL with these dialect tokens: {bytes} = BLOB / BYTEA. Integers are {int} = INTEGER / BIGINT, 64 bits wide.
-- Times are microseconds UTC. JSON is TEXT. Statements end with a semicolon at the end of a line.

-- One row per shard. A writer that does not hold (owner, epoch) cannot change what belongs to the shard.
CREATE TABLE shard (
  id {int} PRIMARY KEY,
  owner TEXT NOT NULL,
  epoch {int} NOT NULL
);

-- Single values that belong to the whole cluster: shard count, cluster id, counters, watermarks.
CREATE TABLE cluster_value (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

-- One row per entity: which version is live, its snapshot, and what supervision knows about it.
CREATE TABLE entity (
  kind TEXT NOT NULL,
  tenant TEXT NOT NULL,
  entity_key TEXT NOT NULL,
  shard {int} NOT NULL,
  version {int} NOT NULL,
  enabled {int} NOT NULL DEFAULT 1,
  name TEXT NOT NULL DEFAULT '',
  label TEXT NOT NULL DEFAULT '',
  created_at {int} NOT NULL,
  created_by TEXT NOT NULL,
  updated_at {int} NOT NULL,
  deleted_at {int},
  snapshot {bytes},
  snapshot_seq {int} NOT NULL DEFAULT 0,
  journal_seq {int} NOT NULL DEFAULT 0,
  restarts {int} NOT NULL DEFAULT 0,
  last_error TEXT,
  last_error_at {int},
  quarantined_at {int},
  PRIMARY KEY (kind, tenant, entity_key)
);
CREATE INDEX entity_by_shard ON entity (shard);
CREATE INDEX entity_by_update ON entity (kind, tenant, updated_at, entity_key);

-- Immutable versions of definitions.
CREATE TABLE definition (
  kind TEXT NOT NULL,
  tenant TEXT NOT NULL,
  entity_key TEXT NOT NULL,
  version {int} NOT NULL,
  body TEXT NOT NULL,
  change TEXT NOT NULL,
  summary TEXT NOT NULL DEFAULT '',
  created_at {int} NOT NULL,
  created_by TEXT NOT NULL,
  PRIMARY KEY (kind, tenant, entity_key, version)
);

-- What a live definition wants to be woken by: schedule, poll, event. Replaced together with the version.
CREATE TABLE interest (
  kind TEXT NOT NULL,
  tenant TEXT NOT NULL,
  entity_key TEXT NOT NULL,
  source TEXT NOT NULL,
  version {int} NOT NULL,
  spec TEXT NOT NULL,
  PRIMARY KEY (kind, tenant, entity_key, source)
);
CREATE INDEX interest_by_source ON interest (source);

-- Events that an entity decided, in order. Rows up to the entity's snapshot_seq are removed.
CREATE TABLE journal (
  kind TEXT NOT NULL,
  tenant TEXT NOT NULL,
  entity_key TEXT NOT NULL,
  seq {int} NOT NULL,
  name TEXT NOT NULL,
  body TEXT NOT NULL,
  at {int} NOT NULL,
  PRIMARY KEY (kind, tenant, entity_key, seq)
);

-- Intended outward effects, written in the same transaction as the decision that wants them.
CREATE TABLE outbox (
  id TEXT PRIMARY KEY,
  shard {int} NOT NULL,
  kind TEXT NOT NULL,
  tenant TEXT NOT NULL,
  entity_key TEXT NOT NULL,
  effect TEXT NOT NULL,
  body TEXT NOT NULL,
  context TEXT NOT NULL,
  correlation TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL,
  attempts {int} NOT NULL DEFAULT 0,
  next_attempt_at {int} NOT NULL,
  created_at {int} NOT NULL,
  settled_at {int},
  last_error TEXT
);
CREATE INDEX outbox_due ON outbox (status, next_attempt_at);
CREATE INDEX outbox_settled ON outbox (settled_at);
CREATE INDEX outbox_by_correlation ON outbox (correlation) WHERE correlation <> '';

-- Every restart of an entity, with the message that caused it.
CREATE TABLE restart_history (
  kind TEXT NOT NULL,
  tenant TEXT NOT NULL,
  entity_key TEXT NOT NULL,
  at {int} NOT NULL,
  outcome TEXT NOT NULL,
  error TEXT NOT NULL,
  message_name TEXT NOT NULL,
  message_body TEXT NOT NULL,
  trace_id TEXT NOT NULL
);
CREATE INDEX restart_history_by_entity ON restart_history (kind, tenant, entity_key, at);

-- The tick ledger: what a schedule is due for next, and the latest ticks that were due. An interval's due times are
-- anchor_at + n * interval. A removed schedule keeps its row for a while, so that its ticks can still be looked at.
CREATE TABLE schedule (
  kind TEXT NOT NULL,
  tenant TEXT NOT NULL,
  entity_key TEXT NOT NULL,
  spec TEXT NOT NULL,
  anchor_at {int} NOT NULL,
  next_due_at {int},
  tick_count {int} NOT NULL DEFAULT 0,
  removed_at {int},
  PRIMARY KEY (kind, tenant, entity_key)
);
CREATE INDEX schedule_removed ON schedule (removed_at) WHERE removed_at IS NOT NULL;
-- A ring of rows per schedule: the n-th tick stands at n modulo the length of the kept history and overwrites the one
-- that stood there. `status` is open, fired, skipped, failed or overdue. `missed` counts further ticks the row stands for.
CREATE TABLE tick (
  kind TEXT NOT NULL,
  tenant TEXT NOT NULL,
  entity_key TEXT NOT NULL,
  place {int} NOT NULL,
  due_at {int} NOT NULL,
  missed {int} NOT NULL DEFAULT 0,
  status TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  decided_at {int} NOT NULL,
  settled_at {int},
  PRIMARY KEY (kind, tenant, entity_key, place)
);
CREATE INDEX tick_open ON tick (due_at) WHERE status = 'open';

-- The event log, a row per accepted batch; `body` is zstd-compressed NDJSON of CloudEvents, `id_hashes` 16 bytes each.
CREATE TABLE event_batch (
  log_partition {int} NOT NULL,
  first_offset {int} NOT NULL,
  count {int} NOT NULL,
  tenant TEXT NOT NULL,
  received_at {int} NOT NULL,
  body {bytes} NOT NULL,
  id_hashes {bytes} NOT NULL,
  context TEXT NOT NULL,
  PRIMARY KEY (log_partition, first_offset)
);
CREATE INDEX event_batch_by_time ON event_batch (received_at);

-- One row per evaluation of a rule that matched, was triggered by hand or failed.
CREATE TABLE rule_execution (
  exec_id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  rule_id TEXT NOT NULL,
  version {int} NOT NULL,
  triggered_at {int} NOT NULL,
  status TEXT NOT NULL,
  duration_ms {int} NOT NULL DEFAULT 0,
  executed_by TEXT NOT NULL,
  error_message TEXT,
  refs TEXT NOT NULL,
  trace_id TEXT NOT NULL
);
CREATE INDEX rule_execution_by_rule ON rule_execution (tenant, rule_id, triggered_at);
CREATE INDEX rule_execution_by_time ON rule_execution (triggered_at);

-- What the action `store` keeps: the records of GET /cep/events.
CREATE TABLE rule_event (
  event_id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  rule_id TEXT NOT NULL,
  rule_name TEXT NOT NULL,
  exec_id TEXT NOT NULL,
  triggered_at {int} NOT NULL,
  status TEXT NOT NULL,
  severity TEXT NOT NULL,
  summary TEXT NOT NULL,
  payload TEXT NOT NULL,
  ack {int} NOT NULL DEFAULT 0,
  ack_at {int},
  ack_by TEXT,
  trace_id TEXT NOT NULL
);
CREATE INDEX rule_event_by_time ON rule_event (tenant, triggered_at, event_id);

-- People, keys, sessions, rights.
CREATE TABLE app_user (
  id TEXT PRIMARY KEY,
  username TEXT NOT NULL UNIQUE,
  email TEXT NOT NULL DEFAULT '',
  password_hash TEXT NOT NULL,
  role TEXT NOT NULL,
  tenant TEXT NOT NULL,
  is_active {int} NOT NULL DEFAULT 1,
  created_at {int} NOT NULL,
  last_login_at {int},
  login_count {int} NOT NULL DEFAULT 0
);
CREATE TABLE refresh_token (
  id TEXT PRIMARY KEY,
  family TEXT NOT NULL,
  user_id TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  created_at {int} NOT NULL,
  expires_at {int} NOT NULL,
  used_at {int},
  revoked_at {int}
);
CREATE INDEX refresh_token_by_user ON refresh_token (user_id);
CREATE INDEX refresh_token_by_family ON refresh_token (family);
CREATE TABLE api_key (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  owner_id TEXT NOT NULL,
  name TEXT NOT NULL,
  key_prefix TEXT NOT NULL,
  key_hash TEXT NOT NULL,
  scope TEXT NOT NULL,
  is_active {int} NOT NULL DEFAULT 1,
  created_at {int} NOT NULL,
  expires_at {int},
  last_used_at {int}
);
CREATE UNIQUE INDEX api_key_by_hash ON api_key (key_hash);
CREATE TABLE permission_override (
  user_id TEXT NOT NULL,
  permission TEXT NOT NULL,
  resource_type TEXT NOT NULL,
  resource_id TEXT NOT NULL DEFAULT '',
  granted {int} NOT NULL,
  expires_at {int},
  created_at {int} NOT NULL,
  created_by TEXT NOT NULL,
  PRIMARY KEY (user_id, permission, resource_type, resource_id)
);
CREATE TABLE audit_log (
  audit_id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  created_at {int} NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  resource_type TEXT NOT NULL,
  resource_id TEXT NOT NULL,
  changes TEXT NOT NULL,
  old_values TEXT NOT NULL,
  new_values TEXT NOT NULL,
  metadata TEXT NOT NULL,
  trace_id TEXT NOT NULL,
  parent_trace_id TEXT NOT NULL DEFAULT ''
);
CREATE INDEX audit_log_by_time ON audit_log (tenant, created_at, audit_id);
CREATE INDEX audit_log_by_resource ON audit_log (tenant, resource_type, resource_id, created_at);
CREATE INDEX audit_log_by_trace ON audit_log (trace_id);

-- Sampled spans: always those that failed or were slow.
CREATE TABLE span (
  trace_id TEXT NOT NULL,
  span_id TEXT NOT NULL,
  parent_span_id TEXT NOT NULL,
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  node TEXT NOT NULL,
  started_at {int} NOT NULL,
  duration_us {int} NOT NULL,
  status TEXT NOT NULL,
  attributes TEXT NOT NULL,
  PRIMARY KEY (trace_id, span_id)
);
CREATE INDEX span_by_time ON span (started_at);
