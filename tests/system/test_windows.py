"""Windows and baselines in a real node: kill -9 in the middle of a window, the same values afterwards."""
import datetime
import os
import random
import statistics
import unittest
import urllib.parse

from support.node import Node, wait_until

DATABASES = [("sqlite", {})]
if os.environ.get("TOBIT_TEST_DATABASE_URL"):
    DATABASES.append(("postgresql", {"TOBIT_DATABASE_URL": os.environ["TOBIT_TEST_DATABASE_URL"]}))


def event(number, at, host, value):
    time = datetime.datetime.fromtimestamp(at, datetime.timezone.utc).isoformat()
    return {"specversion": "1.0", "id": f"w{number}", "source": "/fleet", "type": "reading", "time": time,
            "data": {"host": host, "value": value}}


def state(node, rule):
    return node.get(f"/actors/rule/{rule['rule_id']}").data["actor"]["state"]


class Windows(unittest.TestCase):
    def test_a_window_survives_kills_and_closes_with_the_values_of_all_its_events(self):
        for name, env in DATABASES:
            with self.subTest(database=name):
                self.survives_kills(env)

    def survives_kills(self, env):
        seed = int(os.environ.get("TOBIT_TEST_SEED", random.randrange(1 << 30)))
        print(f"seed {seed} (set TOBIT_TEST_SEED to repeat)")
        chance = random.Random(seed)
        start = 1_700_000_040 // 60 * 60
        with Node(env=env) as node:
            node.login()
            rule = node.create_rule(
                rule_name="average of a minute", trigger_type="event",
                trigger_spec={"types": ["reading"], "group_by": ["host"],
                              "window_config": {"type": "tumbling", "size_seconds": 60, "idle_seconds": 20},
                              "aggregation": {"type": "std", "field": "value", "op": ">", "threshold": -1}},
                action_spec={"type": "store", "message": "{{host}} {{value}}"})
            values, number = {"a": [], "b": []}, 0
            for _ in range(4):
                batch = []
                for _ in range(chance.randrange(5, 40)):
                    host, value = chance.choice("ab"), chance.uniform(0, 1000)
                    values[host].append(value)
                    number += 1
                    batch.append(event(number, start + chance.randrange(59), host, value))
                node.send_events(batch)
                if chance.random() < 0.5:  # sometimes before the rule has seen them
                    wait_until(lambda: state(node, rule)["window"]["taken"] == number, 20, "every event counted")
                node.kill()
                node.start()
            wait_until(lambda: state(node, rule)["window"]["taken"] == number, 20, "every event counted once")
            # Nothing comes any more: the clock closes the window, also after one more death.
            node.kill()
            node.start()

            def fired():
                rows = [e for e in node.get("/cep/events?rule_id=" + rule["rule_id"]).data["events"]]
                return rows if len(rows) >= 2 else None
            rows = wait_until(fired, 60, "both windows closed")
            self.assertEqual(len(rows), 2)
            for row in rows:
                detail = node.get("/cep/events/" + urllib.parse.quote(row["event_id"], safe="")).data["event"]["payload"]
                host = detail["labels"]["host"]
                self.assertEqual(detail["window"]["count"], len(values[host]))
                self.assertAlmostEqual(detail["window"]["value"], statistics.stdev(values[host]), places=6)

    def test_a_baseline_can_be_seen_and_reset(self):
        with Node() as node:
            node.login()
            rule = node.create_rule(
                rule_name="unusual", trigger_type="anomaly",
                trigger_spec={"types": ["reading"], "value_path": "value", "group_by": ["host"],
                              "anomaly_config": {"min_samples": 10}},
                action_spec={"type": "store"})
            node.send_events([event(i, 1_700_000_000 + i, "ab"[i % 2], 100 + i % 5) for i in range(60)])
            path = "/cep/rules/anomaly-status/" + rule["rule_id"]
            status = wait_until(lambda: (s := node.get(path).data)["baseline_count"] == 60 and s, what="sixty values learned")
            self.assertEqual(status["method"], "zscore")
            self.assertEqual(status["baseline_source"], "learned")
            self.assertEqual(status["baseline_summary"]["max"], 104)
            node.kill()
            node.start()
            self.assertEqual(node.get(path).data["baseline_count"], 60)
            node.send_events([event(100, 1_700_000_100, "a", 5000)])
            wait_until(lambda: node.get(path).data["excluded"] == 1, what="the unusual value noticed")
            self.assertEqual(node.get(path).data["baseline_count"], 60)
            reset = f"/cep/rules/{rule['rule_id']}/anomaly-baseline/reset"
            self.assertEqual(node.post(reset, {"group": {"host": "nowhere"}}).status, 404)
            self.assertEqual(node.post(reset, {"group": {"host": "a"}}).data["groups_reset"], 1)
            self.assertEqual(node.get(path).data["baseline_count"], 30)
            self.assertEqual(node.post(reset).data["groups_reset"], 1)
            self.assertEqual(node.get(path).data["baseline_count"], 0)
            plain = node.create_rule(rule_name="plain", trigger_type="event", trigger_spec={"types": ["x"]})
            self.assertEqual(node.post(f"/cep/rules/{plain['rule_id']}/anomaly-baseline/reset").status, 409)
            self.assertFalse(node.get("/cep/rules/anomaly-status/" + plain["rule_id"]).data["anomaly_enabled"])


if __name__ == "__main__":
    unittest.main()
