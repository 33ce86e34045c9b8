"""What rules do when they fire: several actions, rules that trigger rules, storms, and deaths in between."""
import threading
import time
import unittest

from support.node import Node, event_rule, wait_until
from support.receiver import Receiver


def acting(name, field, actions, run="parallel", **more):
    spec = {"type": "multi_action", "run": run, "actions": actions}
    return event_rule("", name, field=field, action_spec=spec, **more)


class Actions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.open = threading.Event()
        cls.open.set()
        cls.receiver = Receiver(cls.behave)
        cls.node = Node()

    @classmethod
    def tearDownClass(cls):
        cls.node.close()
        cls.receiver.close()

    @classmethod
    def behave(cls, call):
        if call.path.startswith("/refuse"):
            return 400
        if call.path.startswith("/closed"):
            return 200 if cls.open.is_set() else 503
        return 200

    def hook(self, path, **more):
        return {"type": "webhook", "method": "POST", "endpoint": self.receiver.url + path, **more}

    def calls(self, path):
        return [c for c in self.receiver.calls if c.path == path]

    def executions(self, rule, status=None):
        logs = self.node.get(f"/cep/rules/{rule['rule_id']}/exec-logs").data["logs"]
        return [log for log in logs if status is None or log["status"] == status]

    def fire(self, field, value=99):
        self.node.send_events({"type": "t", "data": {field: value}})

    def test_actions_in_sequence_begin_one_after_the_other(self):
        rule = self.node.create_rule(**acting("order", "order", [self.hook("/1"), self.hook("/2"), {"type": "store"}],
                                              "sequence"))
        self.fire("order")
        done = wait_until(lambda: self.executions(rule, "success"))[0]
        self.assertLess(self.calls("/1")[0].at, self.calls("/2")[0].at)
        self.assertEqual([a["status"] for a in done["actions"]], ["done", "done", "done"])
        self.assertEqual(len({c.json()["exec_id"] for c in self.calls("/1") + self.calls("/2")}), 1)

    def test_a_failure_stops_a_sequence_or_not_as_the_action_says(self):
        stops = self.node.create_rule(**acting("stops", "stops", [self.hook("/refuse"), self.hook("/stopped")], "sequence"))
        goes_on = self.node.create_rule(**acting("goes on", "goes_on", [self.hook("/refuse", on_error="continue"),
                                                                        self.hook("/went-on")], "sequence"))
        self.fire("stops")
        self.fire("goes_on")
        failed = wait_until(lambda: self.executions(stops, "fail"))[0]
        self.assertEqual([a["status"] for a in failed["actions"]], ["failed", "skipped"])
        self.assertIn("400", failed["error_message"])
        failed = wait_until(lambda: self.executions(goes_on, "fail"))[0]
        self.assertEqual([a["status"] for a in failed["actions"]], ["failed", "done"])
        self.assertFalse(self.calls("/stopped"))

    def test_an_action_runs_only_if_its_condition_holds(self):
        rule = self.node.create_rule(**acting("when", "when", [
            self.hook("/low"), self.hook("/high", when={"field": "when", "op": ">", "value": 50})]))
        self.fire("when", 20)
        wait_until(lambda: self.executions(rule, "success"))
        self.assertFalse(self.calls("/high"))
        self.fire("when", 60)
        wait_until(lambda: self.calls("/high"))

    def test_a_sequence_survives_the_death_of_its_node_between_two_actions(self):
        with Node() as node:
            self.open.clear()
            rule = node.create_rule(**acting("death", "death", [self.hook("/before"), self.hook("/closed"),
                                                                self.hook("/after")], "sequence"))
            for _ in range(3):
                node.send_events({"type": "t", "data": {"death": 99}})
            wait_until(lambda: len({c.key for c in self.calls("/closed")}) == 3)
            node.kill()
            self.open.set()
            node.start()
            wait_until(lambda: len({c.key for c in self.calls("/after")}) == 3, 30)

            def over():
                logs = node.get(f"/cep/rules/{rule['rule_id']}/exec-logs").data["logs"]
                return len([log for log in logs if log["status"] == "success"]) == 3
            wait_until(over, 20)
            for path in ("/before", "/closed", "/after"):
                self.assertEqual(len({c.key for c in self.calls(path)}), 3, path)
                self.assertEqual(len({c.json()["exec_id"] for c in self.calls(path)}), 3, path)

    def test_a_rule_triggers_another_one_and_a_loop_ends_with_an_explanation(self):
        last = self.node.create_rule(**event_rule(self.receiver.url + "/last", "last", field="chain"))
        first = self.node.create_rule(**event_rule("", "first", field="start", action_spec={
            "type": "trigger_rule", "rule_id": last["rule_id"], "payload": {"chain": "{{start}}"}}))
        self.fire("start", 42)
        call = wait_until(lambda: self.calls("/last"))[0]
        self.assertEqual(call.json()["payload"]["chain"], "42")
        wait_until(lambda: self.executions(first, "success"))
        # Now the last one triggers the first: what began in the first must end in the last.
        changed = self.node.request("PUT", f"/cep/rules/{last['rule_id']}", {
            "action_spec": {"type": "trigger_rule", "rule_id": first["rule_id"]}})
        self.assertEqual(changed.status, 200, changed)
        self.fire("start", 43)
        failed = wait_until(lambda: self.executions(last, "fail"))[0]
        self.assertIn("for ever", failed["error_message"])
        self.assertIn(first["rule_id"], failed["error_message"])
        time.sleep(0.5)
        self.assertEqual(len(self.executions(last, "fail")), 1)
        self.assertEqual(len(self.executions(first)), 2)
        refused = self.node.request("PUT", f"/cep/rules/{last['rule_id']}", {
            "action_spec": {"type": "trigger_rule", "rule_id": last["rule_id"]}})
        self.assertEqual(refused.status, 400, refused)

    def test_a_trigger_by_hand_waits_for_all_actions_and_tells_the_first_failure(self):
        rule = self.node.create_rule(**acting("hand", "hand", [self.hook("/hand1"), self.hook("/hand2")], "sequence"))
        answer = self.node.post(f"/cep/rules/{rule['rule_id']}/trigger", {"payload": {"hand": 99}})
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.data["result"]["status"], "success", answer)
        self.assertTrue(self.calls("/hand2"))
        api = self.node.create_rule(**event_rule("", "api", field="api", action_spec={"type": "api", "api_id": "billing"}))
        answer = self.node.post(f"/cep/rules/{api['rule_id']}/trigger", {"payload": {"api": 99}})
        self.assertEqual(answer.status, 404, answer)
        failed = wait_until(lambda: self.executions(api, "fail"))[0]
        self.assertEqual(failed["error_message"], "There is no API definition 'billing'.")

    def test_a_storm_is_throttled_and_another_rule_is_not_held_up(self):
        storm = self.node.create_rule(**event_rule(self.receiver.url + "/storm", "storm", field="storm",
                                                   max_firings_per_minute=20))
        calm = self.node.create_rule(**event_rule(self.receiver.url + "/calm", "calm", field="calm"))
        for _ in range(10):
            self.node.send_events([{"type": "t", "data": {"storm": 99}} for _ in range(1000)])
        begun = time.monotonic()
        self.fire("calm")
        wait_until(lambda: self.calls("/calm"), 5)
        self.assertLess(time.monotonic() - begun, 5)
        wait_until(lambda: self.executions(calm, "success"))

        def counted():
            rows = self.executions(storm, "throttled")
            return rows and sum(row["references"]["throttled"] for row in rows) + len(self.executions(storm, "success")) >= 10000 and rows
        rows = wait_until(counted, 30)
        self.assertLessEqual(len(rows), 2)  # the minute may turn
        self.assertLessEqual(len({c.key for c in self.calls("/storm")}), 40)
        self.assertIn("max_firings_per_minute", rows[0]["error_message"])


if __name__ == "__main__":
    unittest.main()
