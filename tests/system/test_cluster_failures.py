"""What a cluster survives: processes killed and frozen, and a database that goes away."""
import os
import random
import re
import shutil
import signal
import statistics
import time
import unittest

from support.cluster import Cluster, Load
from support.node import wait_until
from support.receiver import Receiver
from support.work import Work, all_answer


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
                    all_answer(others[0], work.rules)
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

    def test_a_frozen_leader_does_not_act_afterwards(self):
        with Cluster(3) as cluster, Receiver() as receiver:
            work = Work(cluster, receiver)
            victim = cluster.leader()
            others = [node for node in cluster.nodes if node is not victim]
            begun = time.monotonic()
            victim.process.send_signal(signal.SIGSTOP)
            try:
                wait_until(lambda: cluster.leader_name() not in (None, victim.name), 15, "another leader")
                all_answer(others[0], work.rules)
                print(f"frozen leader replaced after {time.monotonic() - begun:.2f} s")
                self.assertLess(time.monotonic() - begun, 3 + 1 + 3)
                cluster.settle(others)
            finally:
                victim.process.send_signal(signal.SIGCONT)
            # It comes back under a new incarnation and takes its share.
            cluster.settle()
            all_answer(victim, work.rules)
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
            all_answer(cluster.nodes[0], work.rules)
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
