-- Long work that somebody asked for, such as a backtest: what was wanted, how far it is, what came out of it.
CREATE TABLE job (
  job_id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  node TEXT NOT NULL,
  status TEXT NOT NULL,
  wish TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at {int} NOT NULL,
  started_at {int},
  finished_at {int},
  done {int} NOT NULL DEFAULT 0,
  total {int} NOT NULL DEFAULT 0,
  details TEXT,
  report TEXT,
  error_name TEXT,
  error TEXT
);
CREATE INDEX job_by_subject ON job (tenant, kind, subject, created_at);
CREATE INDEX job_by_time ON job (created_at);
CREATE INDEX job_open ON job (node) WHERE finished_at IS NULL;
