"""What a cluster survives: processes killed and frozen, and a database that goes away."""
import json
import os
import random
import re
import shutil
import signal
import statistics
import threading
import time
import unittest

from support.cluster import Cluster, Load
from support.node import event_rule, wait_until
from support.receiver import Receiver


class Work:
    """Rules, a receiver and clients around a cluster; afterwards the accounts must agree."""

    def __init__(self, cluster, receiver):
        self.cluster, self.receiver = cluster, receiver
        first = cluster.nodes[0]
        self.rules = [first.create_rule(**event_rule(receiver.url + f"/e{i}", f"event {i}", field="k", op="==", value=i),
                                        max_firings_per_minute=1_000_000) for i in range(6)]
        self.tick = first.create_rule(rule_name="tick", trigger_type="schedule", trigger_spec={"interval_seconds": 1, "missed": "all", "overlap": "queue"},
                                      action_spec={"type": "webhook", "method": "POST", "endpoint": receiver.url + "/tick"})
        for node in cluster.nodes:
            node.login()
        self.acknowledged, self.lock = {}, threading.Lock()
        self.begun = time.time()

    def send(self, who, count):
        n = who * 1_000_000 + count + 1
        nodes = self.cluster.alive()
        node = nodes[(count + who) % len(nodes)]
        event = {"specversion": "1.0", "id": f"e{n}", "source": "/w", "type": "w", "data": {"k": n % 6, "n": n}}
        answer = node.request("POST", "/cep/events/ingest", json.dumps(event), {"Content-Type": "application/cloudevents+json"}, timeout=12)
        assert answer.status in (200, 202), answer
        with self.lock:
            self.acknowledged[n] = n % 6

    def check(self, test, seconds=40):
        """Nothing acknowledged is lost, no effect has two keys, and every second has its tick."""
        expected = len(self.acknowledged)

        def keys():
            return {call.key for call in list(self.receiver.calls) if call.path.startswith("/e")}
        wait_until(lambda: len(keys()) >= expected, seconds, f"effects of {expected} acknowledged events")
        # Requests whose answer was lost may have been taken all the same: more effects than acknowledgements are right.
        calls = [call for call in self.receiver.calls if call.path.startswith("/e")]
        print(f"{expected} events acknowledged, {len(keys())} effects, {len(calls) - len(keys())} repeated under the same key")
        rows = self.cluster.postgres.sql(self.cluster.database,
                                         "SELECT count(*), count(DISTINCT exec_id) FROM rule_execution WHERE rule_id IN ("
                                         + ",".join(f"'{rule['rule_id']}'" for rule in self.rules) + ")")
        test.assertEqual(rows[0][0], rows[0][1])

        def ticks_due():
            return len({call.key for call in list(self.receiver.calls) if call.path == "/tick"})
        wait_until(lambda: ticks_due() >= time.time() - self.begun - 4, seconds, "a tick for every second")
        ticks = sorted({call.key for call in self.receiver.calls if call.path == "/tick"})
        elapsed = time.time() - self.begun
        print(f"{len(ticks)} ticks in {elapsed:.0f} s")
        test.assertLessEqual(len(ticks), elapsed + 3)
        test.assertGreater(self.cluster.check_history(), 0)


class ClusterFailures(unittest.TestCase):
    def seeded(self):
        seed = int(os.environ.get("TOBIT_TEST_SEED", random.randrange(1 << 30)))
        print(f"seed {seed} (set TOBIT_TEST_SEED to repeat)")
        return random.Random(seed)

    def test_kill_leader_owner_and_follower(self):
        chance = self.seeded()
        with Cluster(3) as cluster, Receiver() as receiver:
            work, gaps = Work(cluster, receiver), []
            with Load(work.send, threads=2, pause=0.01) as load:
                for kind in ("leader", "owner", "follower"):
                    time.sleep(chance.uniform(0.5, 1.5))
                    if kind == "leader":
                        victim = cluster.leader()
                    elif kind == "owner":
                        victim = cluster[cluster.owner_of("rule", work.rules[0]["rule_id"])]
                    else:
                        victim = cluster.followers()[0]
                    others = [node for node in cluster.nodes if node is not victim]
                    begun = time.monotonic()
                    victim.kill()
                    self.all_answer(others[0], work.rules)
                    gaps.append(time.monotonic() - begun)
                    print(f"killed the {kind} {victim.name}: every rule answers again after {gaps[-1] * 1000:.0f} ms")
                    victim.start(30)
                    victim.login()
                    cluster.settle()
                time.sleep(1)
            print(f"{len(load.times)} requests, {len(load.failures)} failed, longest {load.longest():.2f} s; {load.failures[:3]}")
            unexpected = [one for one in load.failures if not re.search("Remote end closed|refused|reset", one[2])]
            self.assertEqual(unexpected, [], "only connections to the killed node itself fail")
            work.check(self)
            self.assertLess(statistics.median(gaps), 2.0)

    @staticmethod
    def all_answer(node, rules):
        def answers():
            return all(node.get(f"/actors/rule/{rule['rule_id']}", timeout=5).status == 200 for rule in rules)
        wait_until(answers, 20, "every rule answers")

    def test_a_frozen_leader_does_not_act_afterwards(self):
        with Cluster(3) as cluster, Receiver() as receiver:
            work = Work(cluster, receiver)
            victim = cluster.leader()
            others = [node for node in cluster.nodes if node is not victim]
            begun = time.monotonic()
            victim.process.send_signal(signal.SIGSTOP)
            try:
                wait_until(lambda: cluster.leader_name() not in (None, victim.name), 15, "another leader")
                self.all_answer(others[0], work.rules)
                print(f"frozen leader replaced after {time.monotonic() - begun:.2f} s")
                self.assertLess(time.monotonic() - begun, 3 + 1 + 3)
                cluster.settle(others)
            finally:
                victim.process.send_signal(signal.SIGCONT)
            # It comes back under a new incarnation and takes its share.
            cluster.settle()
            self.all_answer(victim, work.rules)
            for n in range(30):
                work.send(7, n)
            work.check(self)

    def test_postgresql_restarted_and_unreachable(self):
        with Cluster(3) as cluster, Receiver() as receiver:
            work = Work(cluster, receiver)
            with Load(work.send, threads=2, pause=0.02) as load:
                time.sleep(1)
                cluster.postgres.stop("immediate")
                cluster.postgres.start()
                cluster.settle(seconds=40)
                time.sleep(1)
                cluster.postgres.freeze()
                time.sleep(8)
                cluster.postgres.thaw()
                cluster.settle(seconds=40)
                time.sleep(2)
            print(f"{len(load.times)} requests, {len(load.failures)} failed while the database was away")
            slow = [took for _, took, _ in load.failures if took > 12.5]
            self.assertEqual(slow, [], "every request is answered within its deadline")
            self.all_answer(cluster.nodes[0], work.rules)
            work.check(self, 60)

    def test_two_nodes_started_at_once_and_wrong_ones_refused(self):
        with Cluster(2) as cluster:
            a = cluster.nodes[0]
            # The same name twice is refused with a sentence, on the newcomer's side.
            twin = cluster.make("a")
            twin.data_dir = cluster.folder + "/twin"
            shutil.copytree(cluster.folder + "/a", twin.data_dir, ignore=shutil.ignore_patterns("*.log", "ready"))
            twin.log_path = twin.data_dir + "/stderr.log"
            with self.assertRaises(AssertionError) as refused:
                twin.start(40)
            self.assertIn("name", str(refused.exception))
            self.assertTrue(a.alive())
            other = cluster.make("b", {"TOBIT_CLUSTER_ID": "another-cluster"})
            cluster["b"].stop()
            with self.assertRaises(AssertionError) as refused:
                other.start(40)
            self.assertIn("cluster", str(refused.exception))
            differs = cluster.make("b", {"TOBIT_CLUSTER_LEASE": "7s"})
            with self.assertRaises(AssertionError) as refused:
                differs.start(40)
            self.assertIn("settings", str(refused.exception).lower())


if __name__ == "__main__":
    unittest.main()
