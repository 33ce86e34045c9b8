"""Starts real clusters: one PostgreSQL, several nodes, and a witness in the database that writes down who held what."""
import os
import shutil
import subprocess
import tempfile
import threading
import time

from support.node import PROGRAM, Node, wait_until
from support.postgres import Postgres

# Every change of hands leaves a row here, in the order of commits. The checks below read it.
WITNESS = """
CREATE TABLE witness (id BIGSERIAL PRIMARY KEY, what TEXT, shard BIGINT, epoch BIGINT, incarnation BIGINT, at TIMESTAMPTZ DEFAULT clock_timestamp());
CREATE FUNCTION witness_shard() RETURNS trigger AS $$ BEGIN
  IF NEW.epoch IS DISTINCT FROM OLD.epoch OR NEW.incarnation IS DISTINCT FROM OLD.incarnation THEN
    INSERT INTO witness (what, shard, epoch, incarnation) VALUES ('shard', NEW.id, NEW.epoch, NEW.incarnation);
  END IF; RETURN NEW; END $$ LANGUAGE plpgsql;
CREATE FUNCTION witness_leader() RETURNS trigger AS $$ BEGIN
  IF NEW.epoch IS DISTINCT FROM OLD.epoch THEN
    INSERT INTO witness (what, epoch, incarnation) VALUES ('leader', NEW.epoch, NEW.incarnation);
  END IF; RETURN NEW; END $$ LANGUAGE plpgsql;
CREATE TRIGGER witness_shard AFTER UPDATE ON shard FOR EACH ROW EXECUTE FUNCTION witness_shard();
CREATE TRIGGER witness_leader AFTER UPDATE ON cluster_leader FOR EACH ROW EXECUTE FUNCTION witness_leader();
"""


class Cluster:
    """`with Cluster(3) as cluster:` — nodes are `cluster.nodes`, by name `cluster["a"]`."""

    def __init__(self, count=3, env=None, postgres=None, start=True, place=None):
        self.place = place or (lambda node: None)  # may give a node its own network or clock
        self.own_postgres = postgres is None
        self.postgres = postgres or Postgres()
        self.database = self.postgres.new_database()
        self.folder = tempfile.mkdtemp(prefix="tobit-cluster.")
        self.names = [chr(ord("a") + i) for i in range(count)]
        self.env = dict(env or {})
        self.init()
        self.postgres.sql(self.database, WITNESS)
        self.nodes = [self.make(name) for name in self.names]
        if start:
            try:
                self.start()
            except BaseException:
                self.__exit__(AssertionError, None, None)
                raise

    @property
    def url(self):
        return self.postgres.url(self.database)

    def init(self):
        done = subprocess.run([PROGRAM, "cluster", "init", "--database", self.url, "--dir", self.folder, "--nodes", ",".join(self.names)],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr + done.stdout

    def make(self, name, env=None):
        settings = {"TOBIT_CLUSTER_LISTEN": "127.0.0.1:0", "TOBIT_HTTP_RATE_LIMIT_PER_IDENTITY": "0",
                    "TOBIT_HTTP_RATE_LIMIT_PER_ADDRESS": "0", **self.env, **(env or {})}
        folder = os.path.join(self.folder, name)  # where `tobit cluster init` put its settings and certificate
        node = Node(env=settings, args=["--config", os.path.join(self.folder, name, "tobit.yaml")], data_dir=folder, start=False)
        node.name = name
        self.place(node)
        return node

    def start(self):
        threads = [threading.Thread(target=self.start_one, args=(node,)) for node in self.nodes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(node.alive() for node in self.nodes), [node.tail() for node in self.nodes if not node.alive()]
        self.settle()

    @staticmethod
    def start_one(node):
        node.start(60)

    def __getitem__(self, name):
        return next(node for node in self.nodes if node.name == name)

    def alive(self):
        return [node for node in self.nodes if node.alive()]

    def settle(self, nodes=None, seconds=30.0):
        """Waits until these nodes hold all shards between them, evenly, and one of them leads."""
        names = sorted(node.name for node in (nodes or self.alive()))

        def settled():
            rows = self.postgres.sql(self.database, "SELECT owner, count(*), sum(target) FROM shard GROUP BY owner ORDER BY owner")
            held = {owner: int(count) for owner, count, _ in rows}
            moving = any(target != "0" for _, _, target in rows)
            return sorted(held) == names and not moving and self.leader_name() in names
        wait_until(settled, seconds, f"shards held by {names}")

    def leader_name(self):
        rows = self.postgres.sql(self.database, "SELECT n.node FROM cluster_leader l JOIN cluster_node n ON n.incarnation = l.incarnation"
                                                " AND n.status IN ('up', 'draining')")
        return rows[0][0] if rows else None

    def leader(self):
        return self[wait_until(self.leader_name, 10, "a leader")]

    def followers(self):
        name = self.leader_name()
        return [node for node in self.alive() if node.name != name]

    def owner_of(self, kind, key):
        rows = self.postgres.sql(self.database, "SELECT s.owner FROM entity e JOIN shard s ON s.id = e.shard"
                                                f" WHERE e.kind = '{kind}' AND e.entity_key = '{key}'")
        return rows[0][0] if rows else None

    def check_history(self):
        """At most one holder per shard and epoch, epochs only rise, and each leader's epoch is its own."""
        rows = self.postgres.sql(self.database, "SELECT what, coalesce(shard, -1), epoch, incarnation FROM witness ORDER BY id")
        last, holders = {}, {}
        for what, shard, epoch, incarnation in rows:
            key, epoch, incarnation = (what, int(shard)), int(epoch), int(incarnation)
            assert epoch > last.get(key, -1), f"{key}: epoch {epoch} after {last[key]}"
            last[key] = epoch
            assert holders.setdefault((key, epoch), incarnation) == incarnation, f"{key}: two holders of epoch {epoch}"
        return len(rows)

    def close(self):
        for node in self.nodes:
            if node.process and node.alive():
                node.process.kill()
                node.process.wait(10)
                node.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.own_postgres:
            self.postgres.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            for node in self.nodes:
                if os.path.exists(node.log_path):
                    print(f"--- log of node {node.name} ---\n{node.tail(25)}")
        self.close()


class Load:
    """Clients that go on asking, each with a patience; every answer and its time are kept."""

    def __init__(self, act, threads=2, pause=0.0):
        self.act, self.pause = act, pause
        self.stop_event = threading.Event()
        self.times, self.failures = [], []
        self.threads = [threading.Thread(target=self.run, args=(i,), daemon=True) for i in range(threads)]

    def run(self, who):
        count = 0
        while not self.stop_event.is_set():
            begun = time.monotonic()
            try:
                self.act(who, count)
                self.times.append((begun, time.monotonic() - begun))
            except Exception as problem:  # what went wrong is the result
                self.failures.append((begun, time.monotonic() - begun, repr(problem)[:300]))
            count += 1
            if self.pause:
                time.sleep(self.pause)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop_event.set()
        for thread in self.threads:
            thread.join(60)

    def longest(self):
        return max((took for _, took in self.times), default=0.0)
