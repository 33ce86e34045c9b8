"""Rules over several events in a real node: they fire, they survive its death in the middle, and they tell what happened."""
import datetime
import os
import re
import time
import unittest

from support.node import Node, wait_until
from support.receiver import Receiver

DATABASES = [("sqlite", {})]
if os.environ.get("TOBIT_TEST_DATABASE_URL"):
    DATABASES.append(("postgresql", {"TOBIT_DATABASE_URL": os.environ["TOBIT_TEST_DATABASE_URL"]}))


def pattern_rule(endpoint, pattern, name="pattern", where=None, **body):
    spec = {"pattern": pattern}
    if where:
        spec["where"] = where
    action = {"type": "webhook", "method": "POST", "endpoint": endpoint}
    if body:
        action["body"] = body
    return {"rule_name": name, "trigger_type": "pattern", "trigger_spec": spec, "action_spec": action}


def event(kind, **data):
    now = datetime.datetime.now(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
    return {"specversion": "1.0", "id": f"{kind}-{time.monotonic_ns()}", "source": "/test", "type": kind, "time": now, "data": data}


class Patterns(unittest.TestCase):
    def calls(self, receiver, path):
        return [c for c in receiver.calls if c.path == path]

    def wait_calls(self, receiver, path, count=1, seconds=20):
        return wait_until(lambda: len(self.calls(receiver, path)) >= count and self.calls(receiver, path), seconds, path)

    def test_a_sequence_fires_with_the_words_of_its_message(self):
        with Receiver() as receiver, Node() as node:
            rule = node.create_rule(**pattern_rule(
                receiver.url + "/in", "fail=login.failed{3,} then ok=login.ok within 5m by user", text="{{user}} from {{ok.ip}} after {{fail.count}}"))
            other = [event("login.failed", user="bob", ip="10.0.0.8"), event("login.ok", user="bob", ip="10.0.0.8")]
            node.send_events([event("login.failed", user="ann", ip="10.0.0.7") for _ in range(4)] + other)
            node.send_events(event("login.ok", user="ann", ip="10.0.0.9"))
            self.assertEqual(self.wait_calls(receiver, "/in")[0].json(), {"text": "ann from 10.0.0.9 after 4"})
            view = node.get(f"/actors/rule/{rule['rule_id']}").json()
            self.assertIn("fail{3,} then ok within 5m by user", str(view))
            time.sleep(0.5)
            self.assertEqual(len(self.calls(receiver, "/in")), 1)

    def test_an_absence_fires_by_the_clock_and_only_for_what_is_missing(self):
        with Receiver() as receiver, Node() as node:
            node.create_rule(**pattern_rule(receiver.url + "/missing", "job.started and no job.finished within 2s by job"))
            node.send_events([event("job.started", job="a"), event("job.started", job="b")])
            node.send_events(event("job.finished", job="a"))
            call = self.wait_calls(receiver, "/missing")[0].json()
            self.assertEqual(call["pattern"]["job_started"]["count"], 1, call)
            self.assertIn("b", call["summary"])
            time.sleep(1)
            self.assertEqual(len(self.calls(receiver, "/missing")), 1)

    def test_patterns_survive_kill_in_the_middle(self):
        for name, env in DATABASES:
            with self.subTest(database=name):
                self.survive(env)

    def survive(self, env):
        with Receiver() as receiver, Node(env=env) as node:
            node.create_rule(**pattern_rule(receiver.url + "/steps", "one then two then three within 5m by k", "steps"))
            node.create_rule(**pattern_rule(receiver.url + "/quiet", "ask and no answer within 12s by k", "quiet"))
            node.send_events([event("one", k=k) for k in range(20)] + [event("ask", k=k) for k in range(20)])
            self.drain(node)
            node.kill()
            node.start()
            node.login()
            node.send_events([event("two", k=k) for k in range(20)] + [event("answer", k=k) for k in range(19)])
            self.drain(node)
            node.kill()
            node.start()
            node.login()
            node.send_events([event("three", k=k) for k in range(20)])
            self.wait_calls(receiver, "/steps", 20)
            self.wait_calls(receiver, "/quiet", 1, 40)
            node.kill() # after they fired: nothing fires again
            node.start()
            time.sleep(2)
            steps = self.calls(receiver, "/steps")
            self.assertEqual(len({c.key for c in steps}), 20)
            told = sorted(int(re.search(r"\(k (\d+)\)", c.json()["summary"]).group(1)) for c in steps)
            self.assertEqual(sorted(set(told)), list(range(20)))
            quiet = {c.key: c.json() for c in self.calls(receiver, "/quiet")}
            self.assertEqual(len(quiet), 1, quiet)
            self.assertIn("k 19", next(iter(quiet.values()))["summary"])

    def drain(self, node):
        """Lets the rules take what was sent: a rule of its own tells when the log has been read up to here."""
        with Receiver() as probe:
            rule = node.create_rule(rule_name="probe", trigger_type="event", trigger_spec={"types": ["probe"]},
                                    action_spec={"type": "webhook", "method": "POST", "endpoint": probe.url + "/probe"})
            node.send_events(event("probe"))
            wait_until(lambda: probe.calls, 20, "the probe")
            node.request("DELETE", f"/cep/rules/{rule['rule_id']}")

    def test_a_list_of_events_is_tried_without_a_trace(self):
        with Receiver() as receiver, Node() as node:
            rule = node.create_rule(**pattern_rule(receiver.url + "/tried", "A then B within 10s by k"))
            path = f"/cep/rules/{rule['rule_id']}/simulate"
            good = [{"type": "A", "at": 0, "data": {"k": 1}}, {"type": "B", "at": 5, "data": {"k": 1}}]
            bad = [good[0], {"type": "B", "at": 11, "data": {"k": 1}}]
            for payload, expected in ((good, True), (bad, False), ({"events": good}, True)):
                simulation = node.post(path, {"test_payload": payload}).data["simulation"]
                self.assertEqual(simulation["condition_evaluated"], expected, simulation)
            for payload in ([], [1], {"events": "x"}, 7):
                answer = node.post(path, {"test_payload": payload})
                self.assertLess(answer.status, 500, answer)
            self.assertFalse(receiver.calls)

    def test_bad_patterns_are_refused_at_their_place(self):
        with Node() as node:
            for spec, pointer in (({"steps": [{"types": "A"}, {"types": "B"}]}, "/trigger_spec/within_seconds"),
                                  ({"pattern": "A then B"}, "/trigger_spec/pattern"),
                                  ({"steps": [{"types": "A"}, {"types": "B", "min": 3, "max": 1}], "within_seconds": 5},
                                   "/trigger_spec/steps/1/max")):
                answer = node.post("/cep/rules", {"rule_name": "bad", "trigger_type": "pattern", "trigger_spec": spec})
                self.assertEqual(answer.status, 400, answer)
                self.assertIn(pointer, str(answer.json()))


if __name__ == "__main__":
    unittest.main()
