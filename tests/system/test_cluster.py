"""Three nodes on one PostgreSQL behave as one."""
import json
import re
import signal
import subprocess
import time
import unittest

from support.cluster import Cluster, Load
from support.node import event_rule, wait_until
from support.receiver import Receiver


class ClusterLife(unittest.TestCase):
    def test_any_node_serves_any_request(self):
        with Cluster(3) as cluster, Receiver() as receiver:
            a, b, c = cluster.nodes
            made = [a.create_rule(**event_rule(f"{receiver.url}/r{i}", f"rule {i}", field="n", op="==", value=i)) for i in range(12)]
            owners = {cluster.owner_of("rule", rule["rule_id"]) for rule in made}
            self.assertGreater(len(owners), 1, "twelve rules live on several nodes")
            for node in cluster.nodes:
                for rule in made:
                    answer = node.get(f"/cep/rules/{rule['rule_id']}", headers={"X-Request-ID": "asked-" + node.name})
                    self.assertEqual((answer.status, answer.data["rule"]["rule_name"]), (200, rule["rule_name"]))
                    seen = node.get(f"/actors/rule/{rule['rule_id']}")
                    self.assertEqual(seen.status, 200, seen)
                    self.assertEqual(seen.data["actor"]["key"], rule["rule_id"])
                    self.assertEqual(seen.headers["x-tobit-node"], cluster.owner_of("rule", rule["rule_id"]), "who served it")
                listed = node.get("/actors?kind=rule&limit=100")
                self.assertEqual({one["key"]: one["node"] for one in listed.data["actors"]},
                                 {rule["rule_id"]: cluster.owner_of("rule", rule["rule_id"]) for rule in made})
                active = node.get("/actors?kind=rule&status=active&limit=100").data["actors"]
                self.assertEqual(len(active), 12)
            # Events enter anywhere and reach the rule wherever it lives, once.
            for i in range(12):
                cluster.nodes[i % 3].send_events([{"type": "t", "data": {"n": i}}])
            for i in range(12):
                wait_until(lambda: any(call.path == f"/r{i}" for call in receiver.calls), 15, f"the call of rule {i}")
            keys = [call.key for call in receiver.calls]
            self.assertEqual(len(keys), len(set(keys)), "each effect once")
            # A rule that is updated through one node is live at all when the call returns.
            for i, rule in enumerate(made):
                node = cluster.nodes[i % 3]
                current = node.get(f"/cep/rules/{rule['rule_id']}").data["rule"]
                fields = {key: current[key] for key in ("trigger_type", "trigger_spec", "action_spec")}
                changed = node.request("PUT", f"/cep/rules/{rule['rule_id']}", {**fields, "rule_name": f"renamed {i}"})
                self.assertEqual(changed.status, 200, changed)
                for other in cluster.nodes:
                    seen = other.get(f"/cep/rules/{rule['rule_id']}").data["rule"]
                    self.assertEqual(seen["rule_name"], f"renamed {i}", current)
            cluster.check_history()

    def test_cluster_pages_answer_from_any_node(self):
        with Cluster(3) as cluster:
            for node in cluster.nodes:
                nodes = node.get("/cluster/nodes").data["nodes"]
                self.assertEqual(sorted(one["node"] for one in nodes), ["a", "b", "c"])
                self.assertTrue(all(one["answered"] and one["status"] == "up" for one in nodes), nodes)
                self.assertEqual(sum(one["shards"] for one in nodes), 256)
                shards = node.get("/cluster/shards").data["shards"]
                self.assertEqual(len(shards), 256)
                self.assertEqual(node.get("/cluster/leader").data["leader"]["node"], cluster.leader_name())
                status = node.get("/cep/scheduler/status").data
                self.assertEqual(status["leader_instance_id"], cluster.leader_name())
                self.assertEqual(status["is_leader"], node.name == cluster.leader_name())
                self.assertEqual(len(node.get("/cep/scheduler/instances").data["instances"]), 3)

    def test_a_node_that_does_not_answer_is_named_and_not_waited_for(self):
        with Cluster(3) as cluster:
            silent = cluster.followers()[0]
            asked = next(node for node in cluster.nodes if node is not silent)
            asked.create_rule(rule_name="r", trigger_type="event", trigger_spec={"field": "x", "op": ">", "value": 1})
            asked.login()
            silent.process.send_signal(signal.SIGSTOP)
            try:
                begun = time.monotonic()
                nodes = {one["node"]: one for one in asked.get("/cluster/nodes").data["nodes"]}
                listed = asked.get("/actors?kind=rule").json()
                self.assertLess(time.monotonic() - begun, 3)
                self.assertFalse(nodes[silent.name]["answered"])
                self.assertIn("error", nodes[silent.name])
                self.assertEqual(listed["metadata"]["silent_nodes"], [silent.name])
            finally:
                silent.process.send_signal(signal.SIGCONT)
            cluster.settle()

    def test_metrics_are_read_by_all_nodes_in_turn(self):
        with Cluster(3) as cluster, Receiver() as receiver:
            for i in range(3):
                cluster.nodes[i].create_rule(rule_name=f"m{i}", trigger_type="metric", trigger_spec={
                    "source": "http", "endpoint": f"{receiver.url}/metric{i}", "value_path": "value", "op": ">", "threshold": 1e9,
                    "poll_interval_seconds": 1})

            def readers():
                """Processes with a connection to the receiver."""
                found = subprocess.run(["ss", "-tnpH", f"dport = :{receiver.port}"], capture_output=True, text=True).stdout
                return {int(pid) for pid in re.findall(r"pid=(\d+)", found)}
            seen = set()
            wait_until(lambda: seen.update(readers()) or {node.process.pid for node in cluster.nodes} <= seen, 30,
                       "every node reads metrics")

    def test_drain_parks_requests_and_fails_none(self):
        with Cluster(3) as cluster:
            rules = [cluster.nodes[0].create_rule(rule_name=f"r{i}", trigger_type="event",
                                                  trigger_spec={"field": "x", "op": ">", "value": 1}) for i in range(30)]
            leaving = cluster.followers()[0]
            staying = [node for node in cluster.nodes if node is not leaving]
            for node in staying:
                node.login()

            def ask(who, count):
                rule = rules[count % len(rules)]
                answer = staying[who % 2].get(f"/actors/rule/{rule['rule_id']}")
                assert answer.status == 200, answer
            with Load(ask, threads=4) as load:
                time.sleep(1)
                answer = staying[0].post(f"/cluster/nodes/{leaving.name}/drain", {"reason": "maintenance"})
                self.assertEqual(answer.status, 202, answer)
                cluster.settle(staying)
                time.sleep(0.5)
            wait_until(lambda: leaving.get("/health/ready", auth=False).status == 503, 10, "a drained node is not ready for requests")
            self.assertEqual(load.failures, [])
            print(f"drain: {len(load.times)} requests, longest {load.longest() * 1000:.0f} ms")
            self.assertLess(load.longest(), 2.0)
            cluster.check_history()

    def test_rolling_restart_under_load(self):
        with Cluster(3) as cluster, Receiver() as receiver:
            rule = cluster.nodes[0].create_rule(**event_rule(receiver.url + "/e", "each event", field="n", op=">", value=0),
                                                max_firings_per_minute=1_000_000)
            cluster.nodes[0].create_rule(rule_name="tick", trigger_type="schedule", trigger_spec={"interval_seconds": 1, "missed": "all", "overlap": "queue"},
                                         action_spec={"type": "webhook", "method": "POST", "endpoint": receiver.url + "/tick"})
            for node in cluster.nodes:
                node.login()
            acknowledged = set()

            def send(who, count):
                n = who * 1_000_000 + count + 1
                nodes = [node for node in cluster.nodes if node.alive() and not getattr(node, "leaving", False)]
                node = nodes[count % len(nodes)]
                event = {"specversion": "1.0", "id": f"e{n}", "source": "/roll", "type": "roll", "data": {"n": n}}
                answer = node.request("POST", "/cep/events/ingest", json.dumps(event), {"Content-Type": "application/cloudevents+json"})
                assert answer.status in (200, 202), answer
                acknowledged.add(n)
            with Load(send, threads=2, pause=0.01) as load:
                time.sleep(1)
                for node in list(cluster.nodes):
                    node.leaving = True  # as a load balancer would be told
                    time.sleep(0.2)
                    code, took = node.stop(20)
                    self.assertEqual(code, 0)
                    node.start(30)
                    node.login()
                    node.leaving = False
                    cluster.settle()
                    print(f"{node.name} stopped in {took:.2f} s")
                time.sleep(1)
            print(f"rolling restart: {len(load.times)} requests, {len(load.failures)} failed, longest {load.longest() * 1000:.0f} ms")
            self.assertEqual(load.failures, [])

            def delivered():
                return len({call.key for call in receiver.calls if call.path == "/e"}) >= len(acknowledged)
            wait_until(delivered, 30, "an effect for each acknowledged event")
            keys = [call.key for call in receiver.calls if call.path == "/e"]
            self.assertEqual(len(set(keys)), len(acknowledged), rule)
            print(f"{len(acknowledged)} events, {len(keys) - len(set(keys))} calls repeated with the same key")
            cluster.check_history()


if __name__ == "__main__":
    unittest.main()
