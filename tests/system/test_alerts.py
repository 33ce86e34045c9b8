"""Alerts as an operator meets them: fire, group, silence, acknowledge, escalate, resolve, and a crash in between."""
import json
import subprocess
import threading
import time
import unittest
import urllib.request

from support.node import Node, PROGRAM, wait_until
from support.receiver import Receiver


def alert_rule(name, **section):
    return {"rule_name": name, "trigger_type": "event", "severity": "high",
            "trigger_spec": {"types": [name], "group_by": ["host"], "field": "value", "op": ">", "value": 10},
            "alert": section}


def address(node):
    return "http://%s:%d" % tuple(node.address)


class Alerts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node, cls.receiver = Node(), Receiver()

    @classmethod
    def tearDownClass(cls):
        cls.node.close()
        cls.receiver.close()

    def send(self, name, host, value):
        self.node.send_events({"type": name, "data": {"host": host, "value": value}})

    def alerts(self, rule, **more):
        query = "&".join(f"{k}={v}" for k, v in more.items())
        return self.node.get(f"/cep/alerts?rule_id={rule['rule_id']}&{query}").data["alerts"]

    def calls(self, path):
        return [c.json() for c in self.receiver.calls if c.path == path]

    def notify(self, path, rule, **more):
        body = {"name": path, "channel": "webhook", "webhook_url": self.receiver.url + path, "rule_id": rule["rule_id"],
                "policy": {"cooldown_seconds": 0, "max_per_hour": 0}}
        body.update(more)
        answer = self.node.post("/cep/notifications", body)
        self.assertEqual(answer.status, 201, answer)
        return answer.data["notification"]

    def test_an_alert_fires_is_told_once_and_resolves(self):
        rule = self.node.create_rule(**alert_rule("once"))
        notification = self.notify("/once", rule)
        for value in (50, 60, 70):
            self.send("once", "db-1", value)
        wait_until(lambda: self.calls("/once"))
        firing = self.alerts(rule, status="firing")
        self.assertEqual([a["labels"]["host"] for a in firing], ["db-1"])
        self.assertEqual(len(self.alerts(rule, label="host=db-1")), 1)
        self.assertEqual(self.alerts(rule, label="host=db-2"), [])
        self.send("once", "db-1", 1)
        wait_until(lambda: len(self.calls("/once")) == 2)
        self.assertEqual([c["reason"] for c in self.calls("/once")], ["firing", "resolved"])
        alert = self.node.get("/cep/alerts/" + firing[0]["alert_id"]).data["alert"]
        self.assertEqual(alert["status"], "resolved")
        self.assertEqual([h["what"] for h in alert["history"] if h["what"] != "told"], ["firing", "resolved"])
        logs = wait_until(lambda: [log for log in self.node.get(
            f"/cep/notifications/{notification['notification_id']}/logs").data["logs"] if log["status"] == "sent"] or None)
        self.assertEqual(logs[0]["notification_id"], notification["notification_id"])

    def test_an_event_of_the_alert_is_listed_and_acknowledging_it_acknowledges_the_alert(self):
        rule = self.node.create_rule(**alert_rule("events"))
        self.send("events", "db-1", 50)
        event = wait_until(lambda: [e for e in self.node.get("/cep/events").data["events"]
                                    if e["rule_id"] == rule["rule_id"]])[0]
        self.assertEqual(self.node.post(f"/cep/events/{event['event_id']}/ack").status, 200)
        alert = self.alerts(rule)[0]
        self.assertTrue(alert["ack"])
        self.assertEqual(alert["ack_by"], "admin")
        again = self.node.post(f"/cep/alerts/{alert['alert_id']}/ack", {"comment": "me too"})
        self.assertFalse(again.data["changed"])

    def test_an_action_notify_and_a_policy_reach_channels_and_their_outcome_comes_back(self):
        made = self.node.post("/cep/channels", {"channel_id": "ops", "name": "ops", "type": "webhook",
                                                "config": {"url": self.receiver.url + "/channel"}})
        self.assertEqual(made.status, 201, made)
        rule = alert_rule("channelled")
        rule["action_spec"] = {"type": "notify", "channels": ["ops"], "message": "{{host}} needs you"}
        del rule["alert"]  # the action implies it
        rule = self.node.create_rule(**rule)
        notification = self.node.post("/cep/notifications", {"name": "both", "channels": ["ops"], "rule_id": rule["rule_id"],
                                                             "group_by": ["host"], "group_wait_seconds": 0})
        self.assertEqual(notification.status, 201, notification)
        self.send("channelled", "db-1", 50)
        wait_until(lambda: len([c for c in self.receiver.calls if c.path == "/channel"]) == 2)
        for policy in (notification.data["notification"]["notification_id"], "rule:" + rule["rule_id"]):
            logs = wait_until(lambda: [log for log in self.node.get(f"/cep/notifications/{policy}/logs").data["logs"]
                                       if log["status"] == "sent"])
            self.assertEqual([log["channel"] for log in logs], ["ops"])

    def test_a_silence_keeps_an_alert_quiet_until_it_is_ended(self):
        rule = self.node.create_rule(**alert_rule("hushed"))
        self.notify("/hushed", rule)
        silence = self.node.post("/cep/silences", {"matchers": ['host="db-9"'], "duration_seconds": 600, "comment": "disk"})
        self.assertEqual(silence.status, 201, silence)
        self.send("hushed", "db-9", 50)
        self.send("hushed", "db-8", 50)
        wait_until(lambda: self.calls("/hushed"))
        quiet = wait_until(lambda: [a for a in self.alerts(rule) if a["silenced_by"]])[0]
        self.assertEqual(quiet["labels"]["host"], "db-9")
        self.assertEqual([a["labels"]["host"] for a in self.calls("/hushed")[0]["alerts"]], ["db-8"])
        ended = self.node.request("DELETE", "/cep/silences/" + silence.data["silence"]["silence_id"])
        self.assertEqual(ended.data["affected"], 1, ended)
        wait_until(lambda: len(self.calls("/hushed")) == 2)
        self.assertEqual([a["labels"]["host"] for a in self.calls("/hushed")[1]["alerts"]], ["db-9"])

    def test_an_escalation_goes_on_until_somebody_takes_care(self):
        rule = self.node.create_rule(**alert_rule("steps"))
        document = self.node.get("/cep/alerting").data["alerting"]
        answer = self.node.request("PUT", "/cep/alerting", {
            "escalations": [{"escalation_id": "chain", "steps": [{"after_seconds": 0, "channels": ["nobody"]},
                                                                 {"after_seconds": 1, "channels": ["no-one"]},
                                                                 {"after_seconds": 6, "channels": ["boss"]}]}]},
            headers={"If-Match": f'"{document["version"]}"'} if document["version"] else None)
        self.assertEqual(answer.status, 200, answer)
        notification = self.notify("/steps", rule, escalation="chain")
        self.send("steps", "db-1", 50)
        logs = f"/cep/notifications/{notification['notification_id']}/logs"
        wait_until(lambda: {"nobody", "no-one"} <= {log["channel"] for log in self.node.get(logs).data["logs"]})
        self.node.post(f"/cep/alerts/{self.alerts(rule)[0]['alert_id']}/ack")
        failed = wait_until(lambda: [log for log in self.node.get(logs).data["logs"] if log["status"] == "fail"])
        self.assertIn("channel", failed[0]["reason"])
        time.sleep(6)
        self.assertNotIn("boss", {log["channel"] for log in self.node.get(logs).data["logs"]})

    def test_disabling_and_deleting_a_rule_resolve_its_alerts_with_the_reason(self):
        for name, act in (("disabled", lambda path: self.node.post(path + "/disable")),
                          ("deleted", lambda path: self.node.request("DELETE", path))):
            rule = self.node.create_rule(**alert_rule(name))
            self.send(name, "db-1", 50)
            wait_until(lambda: self.alerts(rule, status="firing"))
            self.assertEqual(act(f"/cep/rules/{rule['rule_id']}").status, 200)
            alert = wait_until(lambda: self.alerts(rule, status="resolved"))[0]
            self.assertIn(name, alert["reason"])

    def test_the_stream_tells_of_alerts_and_acknowledgements(self):
        rule = self.node.create_rule(**alert_rule("streamed"))
        seen = []
        request = urllib.request.Request(address(self.node) + "/cep/events/stream",
                                         headers={"Authorization": "Bearer " + self.node.token})

        def watch():
            with urllib.request.urlopen(request, timeout=20) as stream:
                event = ""
                for line in stream:
                    line = line.decode().rstrip()
                    if line.startswith("event: "):
                        event = line[7:]
                    elif line.startswith("data: "):
                        seen.append((event, json.loads(line[6:])))
                        if event == "ack_event" and seen[-1][1].get("rule_id") == rule["rule_id"]:
                            return

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        wait_until(lambda: len(seen) >= 2)
        self.assertEqual([event for event, _ in seen[:2]], ["summary", "historical"])
        self.send("streamed", "db-1", 50)
        wait_until(lambda: [1 for event, body in seen if event == "new_event" and body["rule_id"] == rule["rule_id"]])
        self.node.post(f"/cep/alerts/{self.alerts(rule)[0]['alert_id']}/ack")
        watcher.join(10)
        self.assertFalse(watcher.is_alive())

    def test_another_tenant_sees_nothing_of_it(self):
        rule = self.node.create_rule(**alert_rule("private"))
        self.send("private", "db-1", 50)
        alert = wait_until(lambda: self.alerts(rule))[0]
        made = self.node.post("/admin/users", {"username": "eve", "password": "a-long-password-1", "role": "admin", "tenant_id": "other"})
        if made.status != 201:
            self.skipTest(f"users of other tenants cannot be made here: {made}")
        mine, self.node.token = self.node.token, None
        try:
            self.node.login("eve", "a-long-password-1")
            self.assertEqual(self.node.get("/cep/alerts").data["alerts"], [])
            self.assertEqual(self.node.get("/cep/alerts/" + alert["alert_id"]).status, 404)
            self.assertEqual(self.node.post(f"/cep/alerts/{alert['alert_id']}/ack").status, 404)
        finally:
            self.node.token = mine

    def test_bad_input_is_refused_with_the_field(self):
        rule = alert_rule("bad", for_seconds=-1)
        self.assertEqual(self.node.post("/cep/rules", rule).status, 400)
        for path, body, pointer in (
                ("/cep/silences", {"matchers": ['a="b"']}, "/ends_at"),
                ("/cep/silences", {"matchers": ['a=~".*"'], "duration_seconds": 9}, "/matchers"),
                ("/cep/notifications", {"name": "x"}, None),
                ("/cep/notifications", {"name": "x", "channel": "webhook", "webhook_url": "http://169.254.169.254/"}, None),
                ("/cep/notifications", {"name": "x", "channels": ["c"], "trigger": {"type": "snapshot_threshold"}}, None)):
            answer = self.node.post(path, body)
            self.assertEqual(answer.status, 400, answer)
            if pointer:
                self.assertEqual(answer.data["pointer"], pointer)
        self.assertEqual(self.node.get("/cep/alerts/none").status, 404)
        self.assertEqual(self.node.post("/cep/alerts/none/ack").status, 404)
        self.assertEqual(self.node.get("/cep/alerts?label=nonsense").status, 400)

    def test_the_command_line_lists_acknowledges_and_silences(self):
        rule = self.node.create_rule(**alert_rule("typed"))
        self.send("typed", "db-1", 50)
        alert = wait_until(lambda: self.alerts(rule, status="firing"))[0]

        def tobit(*args):
            return subprocess.run([PROGRAM, *args, "--url", address(self.node), "--token", self.node.token],
                                  capture_output=True, text=True, timeout=30)
        listed = tobit("alert", "list", "--rule", "typed")
        self.assertIn(alert["alert_id"], listed.stdout, listed)
        acked = tobit("alert", "ack", alert["alert_id"], "--comment", "on it")
        self.assertEqual(acked.returncode, 0, acked)
        hushed = tobit("alert", "silence", "rule_name=typed", "--for", "5m", "--json")
        self.assertEqual(json.loads(hushed.stdout)["affected"], 1, hushed)
        self.assertNotEqual(tobit("alert", "silence", "rule_name=typed", "--for", "ever").returncode, 0)


class AlertsOverACrash(unittest.TestCase):
    def test_a_killed_node_neither_loses_nor_repeats_a_notice(self):
        with Receiver() as receiver, Node() as node:
            rule = node.create_rule(**alert_rule("crash", for_seconds=2))
            body = {"name": "crash", "channel": "webhook", "webhook_url": receiver.url + "/crash",
                    "policy": {"cooldown_seconds": 0, "max_per_hour": 0}}
            self.assertEqual(node.post("/cep/notifications", body).status, 201)
            hosts = [f"h{i}" for i in range(20)]
            node.send_events([{"type": "crash", "data": {"host": h, "value": 50}} for h in hosts])
            wait_until(lambda: len(node.get(f"/cep/alerts?rule_id={rule['rule_id']}&status=pending").data["alerts"]) == 20)
            node.kill()
            node.start()
            node.login()
            told = wait_until(lambda: {a["labels"]["host"] for c in receiver.calls for a in c.json()["alerts"]} == set(hosts)
                              and list(receiver.calls), seconds=30)
            time.sleep(1)
            keys = [c.key for c in receiver.calls]
            self.assertEqual(len({k for k in keys}), 20, told)
            firing = node.get(f"/cep/alerts?rule_id={rule['rule_id']}&status=firing").data["alerts"]
            self.assertEqual(len(firing), 20)


if __name__ == "__main__":
    unittest.main()
