"""A cluster and its database: away for half a minute, cut in the middle of commits, slow, and of another release."""
import concurrent.futures
import os
import time
import unittest

from support.cluster import Cluster, Load
from support.network import Network, permitted
from support.node import Node, wait_until
from support.postgres import Postgres
from support.receiver import Receiver
from support.slow_wire import SlowWire
from support.work import Work, all_answer

HUB = "10.77.0.1"
ROUND_TRIP = float(os.environ.get("TOBIT_TEST_ROUND_TRIP_MS", "80")) / 1000  # to the slow database


def lives(cluster):
    """The incarnations of the members: another number is another life."""
    return dict(cluster.postgres.sql(cluster.database, "SELECT node, max(incarnation) FROM cluster_node GROUP BY node"))


def burials(cluster):
    return int(cluster.postgres.sql(cluster.database, "SELECT count(*) FROM cluster_node WHERE status = 'dead'")[0][0])


class ClusterDatabase(unittest.TestCase):
    def answered_in_time(self, load):
        late = [one for one in load.failures if one[1] > 12.5]
        self.assertEqual(late, [], "every request is answered within its deadline")

    def test_database_unreachable_for_half_a_minute(self):
        reason = permitted()
        if reason:
            print(f"the database is frozen, not cut off: {reason}")
            with Cluster(3) as cluster, Receiver() as receiver:
                return self.half_a_minute(cluster, receiver, cluster.postgres.freeze, cluster.postgres.thaw)
        network = Network(["a", "b", "c"])
        self.addCleanup(network.close)
        postgres = Postgres(HUB)
        self.addCleanup(postgres.close)

        def cut():  # the database's port only, so that the test reaches the nodes, and the nodes each other
            for space in network.spaces.values():
                for chain, side in (("in", "sport"), ("out", "dport")):
                    network.inside(space, "nft", "add", "rule", "inet", "cut", chain, "tcp", side, str(postgres.port), "drop")

        def heal():
            for name in network.spaces:
                network.heal(name)
        with Cluster(3, env={"TOBIT_OUTBOUND_ALLOW": HUB}, postgres=postgres, place=network.place) as cluster, \
                Receiver(host=HUB) as receiver:
            self.half_a_minute(cluster, receiver, cut, heal)

    def half_a_minute(self, cluster, receiver, cut, heal):
        work = Work(cluster, receiver)
        with Load(work.send, threads=2, pause=0.02) as load:
            time.sleep(1)
            cut()
            begun = time.monotonic()
            time.sleep(10)
            # A node without its database says so to whoever balances the load, and answers at all.
            for node in cluster.nodes:
                self.assertEqual(node.get("/health/ready", timeout=8).status, 503)
                self.assertEqual(node.get("/health/live", timeout=8).status, 200)
            time.sleep(max(0.0, 30 - (time.monotonic() - begun)))
            heal()
            healed = time.monotonic()
            cluster.settle(seconds=60)
            all_answer(cluster.nodes[0], work.rules)
            print(f"everything answers {time.monotonic() - healed:.2f} s after the database is back")
            time.sleep(1)
        print(f"{len(load.times)} requests, {len(load.failures)} failed while it was away")
        self.answered_in_time(load)
        self.assertEqual([node.name for node in cluster.nodes if not node.alive()], [])
        work.check(self, 90)

    def test_sessions_cut_in_the_middle_of_commits(self):
        with Cluster(3) as cluster, Receiver() as receiver:
            work = Work(cluster, receiver)
            before = lives(cluster)
            cut = 0
            with Load(work.send, threads=3) as load:
                end = time.monotonic() + 6
                while time.monotonic() < end:
                    cut += len(cluster.postgres.sql(
                        cluster.database, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                        " AND pid <> pg_backend_pid() AND backend_type = 'client backend' ORDER BY random() LIMIT 3"))
                    time.sleep(0.02)
                begun = time.monotonic()
                all_answer(cluster.nodes[0], work.rules)
                cluster.settle(seconds=40)
                print(f"{cut} sessions cut; settled {time.monotonic() - begun:.2f} s after the last")
                time.sleep(0.5)
            print(f"{len(load.times)} requests, {len(load.failures)} failed; {burials(cluster)} nodes declared dead,"
                  f" {sum(lives(cluster)[node] != life for node, life in before.items())} under a new incarnation")
            self.assertGreater(cut, 50)
            self.answered_in_time(load)
            work.check(self, 60)
            for n in range(30):  # and it works on
                work.send(9, n)
            work.check(self, 30)

    def test_a_slow_database_fences_nobody(self):
        postgres = Postgres()
        self.addCleanup(postgres.close)
        wire = SlowWire((postgres.host, postgres.port))
        self.addCleanup(wire.close)

        def place(node):
            node.extra_env["TOBIT_DATABASE_URL"] = cluster_url[0]
        cluster_url = [None]

        class Slow(Cluster):
            def init(self):
                super().init()
                cluster_url[0] = f"postgresql://tobit@127.0.0.1:{wire.port}/{self.database}"
        with Slow(3, postgres=postgres, place=place) as cluster, Receiver() as receiver:
            work = Work(cluster, receiver)
            before, leader = lives(cluster), cluster.leader_name()
            with Load(work.send, threads=2, pause=0.01):  # every session has prepared its statements
                time.sleep(2)
            wire.delay = ROUND_TRIP / 2
            with Load(lambda who, count: work.send(who + 10, count), threads=4, pause=0.01) as load:
                time.sleep(10)
            wire.delay = 0.0
            times = sorted(took for _, took in load.times)
            print(f"{len(times)} requests over a database {ROUND_TRIP * 1000:.0f} ms away, median {times[len(times) // 2] * 1000:.0f} ms,"
                  f" longest {load.longest() * 1000:.0f} ms, {len(load.failures)} failed")
            self.assertEqual(load.failures, [])
            self.assertEqual(lives(cluster), before, "nobody lost its lease")
            self.assertEqual(cluster.leader_name(), leader)
            work.check(self)

    def test_a_database_of_a_newer_release_is_refused(self):
        with Cluster(2) as cluster:
            cluster.postgres.sql(cluster.database, "INSERT INTO migration (name, applied_at) VALUES ('9999_of_the_future', 0)")
            b = cluster["b"]
            b.stop()
            with self.assertRaises(AssertionError) as refused:
                b.start(30)
            self.assertIn("made by a newer release of Tobit (it has the step '9999_of_the_future')", str(refused.exception))
            self.assertEqual(b.process.wait(10), 2)
            self.assertEqual(cluster["a"].get("/health/ready").status, 200, "the member goes on")
            cluster.postgres.sql(cluster.database, "DELETE FROM migration WHERE name = '9999_of_the_future'")
            b.start(30)
            cluster.settle()

    def test_all_nodes_of_a_new_cluster_started_at_once(self):
        """The first start makes the administrator; here three do it at the same moment."""
        with Cluster(3, start=False) as cluster:
            begun = time.monotonic()
            cluster.start()
            print(f"three nodes up and settled {time.monotonic() - begun:.2f} s after their common first start")
            for node in cluster.nodes:
                node.login()
            self.assertEqual(cluster.postgres.sql(cluster.database, "SELECT count(*) FROM app_user"), [["1"]])
            cluster.check_history()

    def test_two_single_nodes_at_once_on_an_empty_database(self):
        """One makes the tables and the administrator, the other waits for it. Entities obey the later one only."""
        postgres = Postgres()
        self.addCleanup(postgres.close)
        database = postgres.new_database()
        nodes = [Node(env={"TOBIT_DATABASE_URL": postgres.url(database)}, start=False) for _ in range(2)]
        for node in nodes:
            self.addCleanup(node.close)
        with concurrent.futures.ThreadPoolExecutor() as both:
            list(both.map(lambda node: node.start(60), nodes))
        self.assertEqual(postgres.sql(database, "SELECT count(*) FROM app_user"), [["1"]])
        self.assertEqual(postgres.sql(database, "SELECT count(*), count(DISTINCT name) FROM migration")[0],
                         postgres.sql(database, "SELECT count(*), count(*) FROM migration")[0])
        answers = [node.post("/cep/rules", {"rule_name": f"r{i}", "trigger_type": "event", "trigger_spec": {"field": "x", "op": ">", "value": 1}})
                   for i, node in enumerate(nodes)]
        self.assertEqual(sorted(answer.status for answer in answers), [201, 503], answers)


if __name__ == "__main__":
    unittest.main()
