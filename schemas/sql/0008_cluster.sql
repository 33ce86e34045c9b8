-- Members of the cluster, one row per incarnation. Only the database's clock decides whether a lease has run out.
CREATE TABLE cluster_node (
  incarnation {int} PRIMARY KEY,
  node TEXT NOT NULL,
  address TEXT NOT NULL,
  build TEXT NOT NULL,
  settings TEXT NOT NULL,
  protocol_min {int} NOT NULL,
  protocol_max {int} NOT NULL,
  status TEXT NOT NULL,
  lease_until {int} NOT NULL,
  joined_at {int} NOT NULL,
  ended_at {int}
);
CREATE INDEX cluster_node_alive ON cluster_node (node) WHERE status IN ('up', 'draining');

-- One row. Every change of members, leader or shards raises `version` first, which also puts these changes one after
-- the other.
CREATE TABLE cluster_state (
  one {int} PRIMARY KEY CHECK (one = 1),
  version {int} NOT NULL,
  last_incarnation {int} NOT NULL
);
INSERT INTO cluster_state (one, version, last_incarnation) VALUES (1, 1, 0);

-- One row. Acts of the leader look at it FOR SHARE; only a claim, a resignation or a death changes it.
CREATE TABLE cluster_leader (
  one {int} PRIMARY KEY CHECK (one = 1),
  epoch {int} NOT NULL,
  incarnation {int} NOT NULL
);
INSERT INTO cluster_leader (one, epoch, incarnation) VALUES (1, 0, 0);

ALTER TABLE shard ADD COLUMN incarnation {int} NOT NULL DEFAULT 0;
ALTER TABLE shard ADD COLUMN target {int} NOT NULL DEFAULT 0;
ALTER TABLE shard ADD COLUMN version {int} NOT NULL DEFAULT 1;
