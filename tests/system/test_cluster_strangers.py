"""Who may not join: strangers at the cluster's port, nodes of another cluster, nodes with other settings. Both sides say why."""
import os
import shutil
import socket
import ssl
import struct
import threading
import time
import unittest

from support.cluster import Cluster
from support.node import wait_until
from support.postgres import Postgres

HANDSHAKE = 3.0  # seconds: what an unproved connection gets, all together


def port_of(cluster, node):
    address = next(one["address"] for one in node.get("/cluster/nodes").data["nodes"] if one["node"] == node.name)
    host, port = address.rsplit(":", 1)
    return host, int(port)


def log_of(node):
    with open(node.log_path, encoding="utf-8", errors="replace") as log:
        return log.read()


def wait_for_log(node, *words, seconds=15):
    """The first line of the node's log that holds all of these words."""
    def found():
        return next((line for line in log_of(node).splitlines() if all(word in line for word in words)), None)
    line = wait_until(found, seconds, f"a line with {words} in the log of {node.name}")
    print(f"  {node.name}: {line[28:]}")
    return line


def speak_tls(address, folder=None):
    """As a peer would, with the certificate in this folder or none; the alert that it ends with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if folder:
        context.load_cert_chain(os.path.join(folder, "node.pem"), os.path.join(folder, "node.key"))
    try:
        with socket.create_connection(address, timeout=5) as plain, context.wrap_socket(plain) as connection:
            connection.sendall(struct.pack(">I", 20) + b"x" * 20)
            return connection.recv(100)
    except OSError as ended:
        return repr(ended)


class ClusterStrangers(unittest.TestCase):
    def unharmed(self, cluster):
        nodes = cluster.nodes[0].get("/cluster/nodes").data["nodes"]
        self.assertTrue(all(one["linked"] and one["answered"] for one in nodes), nodes)
        self.assertEqual(sum(one["shards"] for one in nodes), 256)
        self.assertEqual([node.name for node in cluster.nodes if not node.alive()], [])
        self.assertNotIn("cluster.fenced", "".join(map(log_of, cluster.nodes)))

    def test_half_open_and_slow_connections_are_ended_in_time(self):
        with Cluster(2) as cluster:
            address = port_of(cluster, cluster.nodes[0])
            hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(64))  # how a ClientHello begins
            lived, lock = {}, threading.Lock()

            def visit(kind, payload, pause):
                begun = time.monotonic()
                with socket.create_connection(address, timeout=20) as connection:
                    try:
                        if pause is None:
                            connection.sendall(payload)
                        else:  # one byte a second: each alone is progress, all together are too slow
                            connection.settimeout(pause)
                            for byte in payload:
                                connection.sendall(bytes([byte]))
                                try:
                                    if not connection.recv(1):
                                        break
                                except socket.timeout:
                                    pass
                        connection.settimeout(20)
                        while connection.recv(4096):
                            pass
                    except ConnectionError:
                        pass
                with lock:
                    lived.setdefault(kind, []).append(time.monotonic() - begun)
            visits = [("silent", b"", None), ("half a greeting", hello[:30], None), ("one byte a second", hello, 1.0),
                      ("huge length", b"\x16\x03\x03\xff\xff" + b"x" * 100, None), ("huge plain length", struct.pack(">I", 0xFFFFFFF0) + b"x" * 100, None),
                      ("not TLS", b"GET / HTTP/1.1\r\n\r\n", None)]
            threads = [threading.Thread(target=visit, args=one, daemon=True) for one in visits for _ in range(5)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(30)
            for kind, times in lived.items():
                print(f"  {kind}: ended after {min(times):.2f} to {max(times):.2f} s")
            self.assertEqual({kind: len(times) for kind, times in lived.items()}, {kind: 5 for kind, _, _ in visits})
            self.assertLess(max(map(max, lived.values())), HANDSHAKE + 3)
            self.assertLess(max(lived["not TLS"]), HANDSHAKE)
            wait_for_log(cluster.nodes[0], "cluster.link_refused", "too_slow")
            wait_for_log(cluster.nodes[0], "cluster.link_refused", "garbage")
            self.unharmed(cluster)

    def test_peers_without_our_certificates_are_refused_on_both_sides(self):
        postgres = Postgres()
        self.addCleanup(postgres.close)
        with Cluster(3, postgres=postgres) as ours, Cluster(2, postgres=postgres, start=False) as theirs:
            # One node each: of refusals from one address for one reason only the first of a while is written down.
            first, second, third = ours.nodes
            print(f"  no certificate: {speak_tls(port_of(ours, first))}")
            wait_for_log(first, "cluster.link_refused", "wrong_certificate", "showed no certificate")
            print(f"  another authority's: {speak_tls(port_of(ours, second), os.path.join(theirs.folder, 'a'))}")
            wait_for_log(second, "cluster.link_refused", "wrong_certificate", "not made by this cluster's authority")
            # A node of another cluster that was told our address: the database of that cluster names it as its own b's.
            theirs["b"].extra_env["TOBIT_CLUSTER_ADVERTISE"] = "%s:%d" % port_of(ours, third)
            theirs["b"].start(60)
            theirs["a"].start(60)  # the later one dials
            wait_for_log(theirs["a"], "cluster.link_refused", "not made by this cluster's authority")
            # Its own side is told in the alert, in the log of whom it dialled.
            wait_for_log(third, "cluster.link_refused", "wrong_certificate", "does not know the authority")
            self.unharmed(ours)

    def test_refused_nodes_are_written_down_on_both_sides(self):
        with Cluster(3) as cluster:
            a, b, c = cluster.nodes
            for node in cluster.nodes:
                node.login()
            # The same name twice.
            twin = cluster.make("a")
            twin.data_dir = cluster.folder + "/twin"
            shutil.copytree(cluster.folder + "/a", twin.data_dir, ignore=shutil.ignore_patterns("*.log", "ready"))
            twin.log_path = twin.data_dir + "/stderr.log"
            self.refused(twin, a, "Another running node has the name 'a'", "name_in_use")
            c.stop()
            cluster.settle([a, b])
            # Settings that must be equal, and another cluster's number.
            self.refused(cluster.make("c", {"TOBIT_CLUSTER_LEASE": "7s"}), b, "settings that must be equal on every node differ", "settings")
            self.refused(cluster.make("c", {"TOBIT_CLUSTER_ID": "another-cluster"}), b, "cluster.id says 'another-cluster'", "id")
            self.assertEqual(a.get("/health/ready").status, 200)
            c.start(60)
            cluster.settle()

    def refused(self, newcomer, member, sentence, why):
        begun = time.monotonic()
        with self.assertRaises(AssertionError) as problem:
            newcomer.start(40)
        print(f"{why}: gave up after {time.monotonic() - begun:.2f} s")
        self.assertIn(sentence, str(problem.exception))
        self.assertNotEqual(newcomer.process.wait(10), 0)
        newcomer.process.stdout.close()
        wait_for_log(newcomer, sentence)
        wait_for_log(member, "cluster.node_refused", f"The node '{newcomer.name}' was refused", sentence)


if __name__ == "__main__":
    unittest.main()
