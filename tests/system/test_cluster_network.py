"""Networks that are cut in every way, clocks that are wrong, and strangers at the cluster's port."""
import glob
import os
import socket
import struct
import tempfile
import time
import unittest

from support.cluster import Cluster, Load
from support.network import Network, permitted
from support.node import wait_until
from support.postgres import Postgres
from support.receiver import Receiver
from support.work import Work, all_answer

HUB = "10.77.0.1"


class ClusterNetwork(unittest.TestCase):
    def setUp(self):
        reason = permitted()
        if reason:
            self.skipTest(reason)
        self.network = Network(["a", "b", "c"])
        self.addCleanup(self.network.close)
        self.postgres = Postgres(HUB)
        self.addCleanup(self.postgres.close)

    def cluster(self):
        return Cluster(3, env={"TOBIT_OUTBOUND_ALLOW": HUB}, postgres=self.postgres, place=self.network.place)

    def test_cut_between_two_nodes_but_not_to_the_database(self):
        with self.cluster() as cluster, Receiver(host=HUB) as receiver:
            work = Work(cluster, receiver)
            follower, other = cluster.followers()
            cut_at = time.monotonic()
            self.network.cut(follower.name, other.name)
            with Load(work.send, threads=2, pause=0.02) as load:
                time.sleep(6)
                self.network.heal(follower.name)
                cluster.settle()
                time.sleep(1)
            late = [took for _, took, _ in load.failures if took > 12.5]
            print(f"cut for {time.monotonic() - cut_at:.0f} s: {len(load.times)} requests, {len(load.failures)} failed")
            self.assertEqual(late, [], "every request is answered within its deadline")
            all_answer(cluster.nodes[0], work.rules)
            work.check(self)

    def test_cut_to_the_database_but_not_to_the_nodes(self):
        with self.cluster() as cluster, Receiver(host=HUB) as receiver:
            work = Work(cluster, receiver)
            victim = cluster.leader()
            others = [node for node in cluster.nodes if node is not victim]
            begun = time.monotonic()
            # Only the database's port: the test still reaches the node, and the node its peers.
            self.network.inside(self.network.spaces[victim.name], "nft", "add", "rule", "inet", "cut", "out", "tcp", "dport",
                                str(self.postgres.port), "drop")
            wait_until(lambda: cluster.leader_name() not in (None, victim.name), 20, "another leader")
            all_answer(others[0], work.rules)
            took = time.monotonic() - begun
            print(f"leader cut off from the database replaced after {took:.2f} s")
            self.assertLess(took, 3 + 1 + 3)
            # It fenced itself, and requests that enter there are still answered: by the others, or honestly not.
            answer = victim.get(f"/actors/rule/{work.rules[0]['rule_id']}", timeout=15)
            self.assertIn(answer.status, (200, 503, 504), answer)
            self.network.heal(victim.name)
            cluster.settle(seconds=60)
            for n in range(30):
                work.send(5, n)
            work.check(self, 60)

    def test_cut_off_from_everything(self):
        with self.cluster() as cluster, Receiver(host=HUB) as receiver:
            work = Work(cluster, receiver)
            victim = cluster[cluster.owner_of("rule", work.rules[0]["rule_id"])]
            others = [node for node in cluster.nodes if node is not victim]
            begun = time.monotonic()
            self.network.cut(victim.name, HUB, *[node.name for node in others])
            all_answer(others[0], work.rules)
            print(f"node cut off from everything replaced after {time.monotonic() - begun:.2f} s")
            self.network.heal(victim.name)
            cluster.settle(seconds=60)
            for n in range(30):
                work.send(5, n)
            work.check(self, 60)


class ClusterClocks(unittest.TestCase):
    def test_clock_steps_of_an_hour_fire_nothing_early_or_twice(self):
        library = next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), None)
        if not library:
            self.skipTest("faketime is not installed")
        with tempfile.TemporaryDirectory() as folder:
            def clock_of(name):
                return os.path.join(folder, name)

            def set_clock(name, offset):
                with open(clock_of(name) + ".new", "w") as file:
                    file.write(offset + "\n")
                os.rename(clock_of(name) + ".new", clock_of(name))

            def wrong(node):
                set_clock(node.name, "+0")
                node.extra_env.update({"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": clock_of(node.name), "FAKETIME_NO_CACHE": "1",
                                       "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
            with Cluster(3, place=wrong) as cluster, Receiver() as receiver:
                work = Work(cluster, receiver)
                for offset in ("+3600", "-3600", "+0"):
                    time.sleep(2)
                    set_clock(cluster.leader_name(), offset)
                    time.sleep(2)
                for n in range(30):
                    work.send(5, n)
                self.assertEqual(len(cluster.postgres.sql(cluster.database, "SELECT 1 FROM witness WHERE what = 'leader'")), 1,
                                 "nobody lost the leadership because of a calendar")
                work.check(self)


class ClusterStrangers(unittest.TestCase):
    def test_garbage_at_the_port_harms_nobody(self):
        with Cluster(2) as cluster:
            a = cluster.nodes[0]
            address = next(one["address"] for one in a.get("/cluster/nodes").data["nodes"] if one["node"] == a.name)
            host, port = address.rsplit(":", 1)
            payloads = [b"GET / HTTP/1.1\r\n\r\n", os.urandom(4096), struct.pack("<BBBBIQQ4x", 0, 0, 0, 0, 0, 0, 0), b"\x16\x03\x01" + b"\xff" * 600,
                        b"\x00" * 32, struct.pack(">I", 0xFFFFFFF0) + b"x" * 100]
            held = []
            for i in range(60):
                connection = socket.create_connection((host, int(port)), timeout=5)
                try:
                    connection.sendall(payloads[i % len(payloads)])
                except OSError:
                    pass
                held.append(connection)
            silent = [socket.create_connection((host, int(port)), timeout=5) for _ in range(20)]
            time.sleep(4)  # longer than a handshake may take
            self.assertTrue(a.alive())
            for connection in held + silent:
                connection.close()
            nodes = a.get("/cluster/nodes").data["nodes"]
            self.assertTrue(all(one["linked"] for one in nodes), nodes)
            self.assertEqual(sum(one["shards"] for one in nodes), 256)


if __name__ == "__main__":
    unittest.main()
