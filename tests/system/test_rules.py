"""Rules as a user meets them: life cycle, triggers, actions."""
import threading
import time
import unittest

from support.node import Node, event_rule, wait_until
from support.receiver import Receiver


class Rules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node, cls.receiver = Node(), Receiver()

    @classmethod
    def tearDownClass(cls):
        cls.node.close()
        cls.receiver.close()

    def test_an_event_becomes_a_webhook_with_everything_the_receiver_needs(self):
        rule = self.node.create_rule(**event_rule(self.receiver.url + "/full", "full", field="load.one"))
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        answer = self.node.post("/cep/events/ingest", {"type": "host.load", "data": {"load": {"one": 11}}},
                                headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
        self.assertEqual(answer.data["accepted"], 1, answer)
        call = wait_until(lambda: [c for c in self.receiver.calls if c.path == "/full"])[0]
        self.assertTrue(call.key)
        self.assertEqual(call.headers["traceparent"].split("-")[1], trace)
        body = call.json()
        self.assertEqual(body["rule"]["id"], rule["rule_id"])
        self.assertEqual(body["rule"]["version"], 1)
        self.assertEqual(body["event"]["data"]["load"]["one"], 11)
        self.assertIn(trace, body["trace_id"].replace("-", ""))
        logs = wait_until(lambda: [log for log in self.node.get(f"/cep/rules/{rule['rule_id']}/exec-logs").data["logs"]
                                   if log["status"] == "success"])
        self.assertEqual(len(logs), 1)

    def test_an_update_is_live_when_the_call_returns_and_can_be_rolled_back(self):
        rule = self.node.create_rule(**event_rule(self.receiver.url + "/v1", "versions", field="versions"))
        path = f"/cep/rules/{rule['rule_id']}"
        changed = self.node.request("PUT", path, {"action_spec": {"type": "webhook", "method": "POST",
                                                                  "endpoint": self.receiver.url + "/v2"}})
        self.assertEqual(changed.status, 200, changed)
        self.node.send_events({"type": "t", "data": {"versions": 99}})
        wait_until(lambda: [c for c in self.receiver.calls if c.path == "/v2"])
        self.assertFalse([c for c in self.receiver.calls if c.path == "/v1"])
        rolled = self.node.post(path + "/rollback", {"version": 1})
        self.assertEqual(rolled.status, 200, rolled)
        self.assertEqual(self.node.get(path).data["rule"]["version"], 3)
        self.node.send_events({"type": "t", "data": {"versions": 99}})
        wait_until(lambda: [c for c in self.receiver.calls if c.path == "/v1"])
        versions = self.node.get(path + "/versions").data["versions"]
        self.assertEqual([v["change_type"] for v in sorted(versions, key=lambda v: v["version"])],
                         ["create", "update", "rollback"])

    def test_a_disabled_and_a_deleted_rule_stay_silent(self):
        rule = self.node.create_rule(**event_rule(self.receiver.url + "/silent", "silent", field="silent"))
        path = f"/cep/rules/{rule['rule_id']}"
        self.assertEqual(self.node.post(path + "/disable").status, 200)
        self.node.send_events({"type": "t", "data": {"silent": 99}})
        self.assertEqual(self.node.post(path + "/enable").status, 200)
        self.assertIn(self.node.request("DELETE", path).status, (200, 204))
        self.node.send_events({"type": "t", "data": {"silent": 99}})
        self.assertEqual(self.node.get(path).status, 404)
        probe = self.node.create_rule(**event_rule(self.receiver.url + "/probe", "probe", field="probe"))
        self.node.send_events({"type": "t", "data": {"probe": 99}})
        wait_until(lambda: [c for c in self.receiver.calls if c.path == "/probe"])
        self.assertFalse([c for c in self.receiver.calls if c.path == "/silent"])
        self.node.request("DELETE", f"/cep/rules/{probe['rule_id']}")

    def test_an_interval_schedule_fires(self):
        rule = self.node.create_rule(rule_name="every second", trigger_type="schedule",
                                     trigger_spec={"interval_seconds": 1},
                                     action_spec={"type": "webhook", "method": "POST", "endpoint": self.receiver.url + "/tick"})
        wait_until(lambda: len([c for c in self.receiver.calls if c.path == "/tick"]) >= 3, 10)
        calls = [c for c in self.receiver.calls if c.path == "/tick"]
        self.assertEqual(len({c.key for c in calls}), len(calls))
        self.assertIn("tick", calls[0].json())
        self.node.request("DELETE", f"/cep/rules/{rule['rule_id']}")

    def test_a_metric_rule_reads_a_value_by_its_path(self):
        metrics = Receiver(lambda call: (200, "application/json", b'{"queues":[{"depth":42}]}'))
        try:
            self.node.create_rule(rule_name="depth", trigger_type="metric",
                                  trigger_spec={"source": "runtime", "endpoint": metrics.url + "/m", "method": "GET",
                                                "value_path": "queues.0.depth", "op": ">", "threshold": 40,
                                                "poll_interval_seconds": 1},
                                  action_spec={"type": "webhook", "method": "POST", "endpoint": self.receiver.url + "/depth"})
            wait_until(lambda: [c for c in self.receiver.calls if c.path == "/depth"], 20)
        finally:
            metrics.close()

    def test_a_manual_trigger_tells_how_the_action_went(self):
        rule = self.node.create_rule(**event_rule(self.receiver.url + "/manual", "manual"))
        path = f"/cep/rules/{rule['rule_id']}"
        fired = self.node.post(path + "/trigger", {"payload": {"value": 11}, "executed_by": "someone"})
        self.assertEqual(fired.status, 200, fired)
        self.assertEqual(fired.data["result"]["status"], "success")
        quiet = self.node.post(path + "/trigger", {"payload": {"value": 1}})
        self.assertEqual(quiet.data["result"]["status"], "dry_run")
        simulated = self.node.post(path + "/simulate", {"test_payload": {"value": 11}})
        self.assertTrue(simulated.data["simulation"]["condition_evaluated"])
        self.assertEqual(len([c for c in self.receiver.calls if c.path == "/manual"]), 1)
        self.assertEqual(self.node.post("/cep/rules/00000000-0000-7000-8000-000000000000/trigger", {"payload": {}}).status, 404)

    def test_nested_conditions_decide_like_they_read(self):
        spec = {"logic": "AND", "conditions": [
            {"field": "host", "op": "==", "value": "a"},
            {"logic": "OR", "conditions": [{"field": "cpu", "op": ">", "value": 90}, {"field": "mem", "op": ">=", "value": 80}]},
            {"logic": "NOT", "conditions": [{"field": "env", "op": "==", "value": "test"}]}]}
        rule = self.node.create_rule(rule_name="nested", trigger_type="event", trigger_spec=spec)
        path = f"/cep/rules/{rule['rule_id']}/simulate"
        for payload, expected in [({"host": "a", "cpu": 95, "mem": 1, "env": "prod"}, True),
                                  ({"host": "a", "cpu": 5, "mem": 80, "env": "prod"}, True),
                                  ({"host": "a", "cpu": 5, "mem": 79, "env": "prod"}, False),
                                  ({"host": "a", "cpu": 95, "mem": 1, "env": "test"}, False),
                                  ({"host": "b", "cpu": 95, "mem": 1, "env": "prod"}, False), ({}, False)]:
            answer = self.node.post(path, {"test_payload": payload})
            self.assertEqual(answer.data["simulation"]["condition_evaluated"], expected, payload)

    def test_the_stream_shows_a_firing_and_resumes_where_it_broke_off(self):
        self.node.create_rule(rule_name="streamed", trigger_type="event",
                              trigger_spec={"field": "streamed", "op": ">", "value": 0}, action_spec={"type": "store"})
        import http.client
        seen, ready = [], threading.Event()

        def watch(last_id, count):
            connection = http.client.HTTPConnection(*self.node.address, timeout=10)
            headers = {"Authorization": "Bearer " + self.node.token, "Accept": "text/event-stream"}
            if last_id:
                headers["Last-Event-ID"] = last_id
            connection.request("GET", "/cep/events/stream", headers=headers)
            stream = connection.getresponse()
            self.assertEqual(stream.status, 200)
            ready.set()
            current, found = None, 0
            while found < count:
                line = stream.readline().decode().rstrip("\n")
                if line.startswith("id:"):
                    current = line[3:].strip()
                elif line.startswith("data:") and "streamed" in line:
                    seen.append((current, line))
                    found += 1
            connection.close()

        thread = threading.Thread(target=watch, args=(None, 1))
        thread.start()
        self.assertTrue(ready.wait(10))
        time.sleep(0.2)  # the head is sent before the subscription is certain to be in place
        self.node.send_events({"type": "t", "data": {"streamed": 1}})
        thread.join(10)
        self.assertEqual(len(seen), 1)
        self.node.send_events({"type": "t", "data": {"streamed": 2}})
        thread = threading.Thread(target=watch, args=(seen[0][0], 1))
        thread.start()
        thread.join(10)
        self.assertEqual(len(seen), 2, "the second firing was missed by the resumed stream")

    def test_the_actors_page_shows_and_steers_a_rule(self):
        rule = self.node.create_rule(**event_rule(self.receiver.url + "/actor", "actor"))
        key = rule["rule_id"]
        self.node.post(f"/cep/rules/{key}/simulate", {"test_payload": {"value": 1}})
        listed = self.node.get("/actors?kind=rule&q=actor")
        self.assertEqual(listed.status, 200, listed)
        self.assertIn(key, [actor["key"] for actor in listed.data["actors"]])
        self.assertEqual(self.node.get(f"/actors/rule/{key}").status, 200)
        for action in ("stop", "restart", "reload"):
            answer = self.node.post(f"/actors/rule/{key}/{action}", {"reason": "test"})
            self.assertEqual(answer.status, 200, (action, answer))
        quarantined = self.node.post(f"/actors/rule/{key}/quarantine", {"reason": "test"})
        self.assertEqual(quarantined.status, 200, quarantined)
        refused = self.node.post(f"/cep/rules/{key}/trigger", {"payload": {"value": 11}})
        self.assertEqual((refused.status, refused.error), (409, "QUARANTINED"), refused)
        self.assertEqual(self.node.post(f"/actors/rule/{key}/revive", {"reason": "test"}).status, 200)
        self.assertEqual(self.node.post(f"/cep/rules/{key}/trigger", {"payload": {"value": 11}}).status, 200)
        audit = self.node.get(f"/audit-log?resource_id={key}").data["audit_logs"]
        self.assertLessEqual({"create", "quarantine", "revive"}, {row["action"] for row in audit})


if __name__ == "__main__":
    unittest.main()
