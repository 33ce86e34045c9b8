"""kill -9 under load: what was acknowledged is there, nothing fires twice, nothing that was due is forgotten."""
import collections
import http.client
import json
import os
import random
import threading
import time
import unittest

from support.node import Node, event_rule, wait_until
from support.receiver import Receiver

DATABASES = [("sqlite", {})]
if os.environ.get("TOBIT_TEST_DATABASE_URL"):
    DATABASES.append(("postgresql", {"TOBIT_DATABASE_URL": os.environ["TOBIT_TEST_DATABASE_URL"]}))


class Crash(unittest.TestCase):
    def test_kill_in_a_loop_under_load(self):
        for name, env in DATABASES:
            with self.subTest(database=name):
                self.kill_in_a_loop(env, rounds=6)

    def kill_in_a_loop(self, env, rounds):
        seed = int(os.environ.get("TOBIT_TEST_SEED", random.randrange(1 << 30)))
        print(f"seed {seed} (set TOBIT_TEST_SEED to repeat)")
        chance = random.Random(seed)
        with Receiver() as receiver, Node(env=env) as node:
            node.create_rule(**event_rule(receiver.url + "/event", "each event", field="n", op=">", value=0),
                             max_firings_per_minute=1_000_000)
            node.create_rule(rule_name="each second", trigger_type="schedule", trigger_spec={"interval_seconds": 1, "missed": "all"},
                             action_spec={"type": "webhook", "method": "POST", "endpoint": receiver.url + "/tick"})
            node.login()
            acknowledged, sent, stop, counter = set(), set(), threading.Event(), [0]

            def load():
                while not stop.is_set():
                    try:
                        connection = http.client.HTTPConnection(*node.address, timeout=5)
                        while not stop.is_set():
                            counter[0] += 1
                            n = counter[0]
                            sent.add(n)
                            event = {"specversion": "1.0", "id": f"e{n}", "source": "/crash", "type": "crash", "data": {"n": n}}
                            connection.request("POST", "/cep/events/ingest", json.dumps(event),
                                               {"Content-Type": "application/cloudevents+json", "Authorization": "Bearer " + node.token})
                            answer = connection.getresponse()
                            if answer.status in (200, 202) and json.loads(answer.read())["data"]["accepted"] == 1:
                                acknowledged.add(n)
                    except (OSError, http.client.HTTPException, ValueError):
                        time.sleep(0.05)

            thread = threading.Thread(target=load)
            thread.start()
            try:
                for _ in range(rounds):
                    time.sleep(chance.uniform(0.3, 1.5))
                    node.kill()
                    node.start()
            finally:
                time.sleep(0.5)
                stop.set()
                thread.join(10)
            print(f"{len(acknowledged)} events acknowledged of {len(sent)} sent over {rounds} kills")
            self.assertGreater(len(acknowledged), 20)

            def delivered():
                return {call.json()["event"]["data"]["n"] for call in receiver.calls if call.path == "/event"}
            wait_until(lambda: acknowledged <= delivered(), 60, "a webhook for every acknowledged event", pause=0.2)
            # Once per decision: one event has one idempotency key however often it was sent.
            keys = collections.defaultdict(set)
            for call in list(receiver.calls):
                if call.path == "/event":
                    keys[call.json()["event"]["data"]["n"]].add(call.key)
            self.assertEqual({n: k for n, k in keys.items() if len(k) != 1}, {}, "an event fired twice")
            self.assertLessEqual(set(keys), sent)
            ticks = collections.defaultdict(set)
            for call in list(receiver.calls):
                if call.path == "/tick":
                    ticks[call.json()["tick"]["due_at"]].add(call.key)
            self.assertEqual({due: k for due, k in ticks.items() if len(k) != 1}, {}, "a tick fired twice")
            due = sorted(ticks)
            print(f"{len(due)} ticks, first {due[0]}, last {due[-1]}")
            seconds = [int(time.mktime(time.strptime(d[:19], "%Y-%m-%dT%H:%M:%S"))) for d in due]
            self.assertEqual(seconds, list(range(seconds[0], seconds[-1] + 1)), "a due tick is missing")

    def test_a_stop_in_the_middle_of_an_import_leaves_whole_rules(self):
        with Node() as node:
            lines = "\n".join(json.dumps({"rule_name": f"r{i}", "trigger_type": "event",
                                          "trigger_spec": {"field": "x", "op": ">", "value": i}}) for i in range(10_000))
            outcome = {}

            def load():
                try:
                    outcome["answer"] = node.post("/cep/rules/import", lines, headers={"Content-Type": "application/x-ndjson", "X-Request-Timeout": "60"}, timeout=60)
                except (OSError, http.client.HTTPException) as broken:
                    outcome["broken"] = broken
            node.login()
            thread = threading.Thread(target=load)
            thread.start()
            wait_until(lambda: node.get("/actors?kind=rule&limit=1").data["actors"], 30)
            code, seconds = node.stop(20)
            thread.join(60)
            self.assertEqual(code, 0)
            self.assertLess(seconds, 5)
            node.start()
            rules, more = [], ""
            while True:
                page = node.get("/cep/rules?limit=200" + more)
                self.assertEqual(page.status, 200, page)
                rules += page.data["rules"]
                if not page.json()["metadata"]["next_cursor"]:
                    break
                more = "&cursor=" + page.json()["metadata"]["next_cursor"]
            self.assertGreater(len(rules), 0)
            for rule in rules[:50]:
                self.assertEqual(rule["version"], 1)
                self.assertEqual(node.get(f"/actors/rule/{rule['rule_id']}").status, 200)


if __name__ == "__main__":
    unittest.main()
