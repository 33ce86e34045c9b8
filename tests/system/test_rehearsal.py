"""Trying rules: backtests over stored events, test files, and watching a rule judge."""
import datetime
import http.client
import json
import os
import subprocess
import tempfile
import time
import unittest
import xml.etree.ElementTree

from support.node import PASSWORD, PROGRAM, Node, wait_until
from support.receiver import Receiver

DOOR = {"rule_name": "door", "trigger_type": "event", "action_spec": {"type": "store", "message": "Door {{door}}"},
        "trigger_spec": {"types": ["door.opened"], "field": "door", "op": ">", "value": 5}}


def moment(seconds):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def tobit(*arguments, env=None):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("TOBIT_")}
    clean.update(env or {})
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=120, env=clean)


class Stream:
    """The events of a stream as texts, without pings."""

    def __init__(self, node, path, seconds=20):
        self.connection = http.client.HTTPConnection(*node.address, timeout=seconds)
        self.connection.request("GET", path, headers={"Authorization": "Bearer " + (node.token or node.login())})
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def __next__(self):
        while True:
            lines = []
            while True:
                line = self.answer.readline().decode().rstrip("\n")
                if line:
                    lines.append(line)
                elif lines:
                    break
            if "event: ping" not in lines:
                return "\n".join(lines)


class Backtests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node()
        cls.rule = cls.node.create_rule(**DOOR)
        for _ in range(4):
            cls.node.send_events([{"type": "door.opened", "data": {"door": n}} for n in range(10)])
        cls.path = f"/cep/rules/{cls.rule['rule_id']}"
        wait_until(lambda: len(cls.node.get(cls.path + "/exec-logs?limit=200").data["logs"]) == 16, what="16 firings")

    @classmethod
    def tearDownClass(cls):
        cls.node.close()

    def backtest(self, **wish):
        answer = self.node.post(self.path + "/backtest", {"from": moment(-3600), "to": moment(3600), **wish})
        self.assertEqual(answer.status, 202, answer)
        job = answer.data["backtest"]["job_id"]
        done = lambda: (lambda b: b if b["status"] not in ("waiting", "running") else None)(
            self.node.get("/cep/backtests/" + job).data["backtest"])
        return wait_until(done, 30, "the backtest's end")

    def test_what_is_live_and_what_is_rehearsed_agree(self):
        backtest = self.backtest()
        self.assertEqual(backtest["status"], "done", backtest)
        report = backtest["report"]
        self.assertEqual(report["events"]["evaluated"], 40)
        self.assertEqual(report["fired"]["total"], 16)
        self.assertEqual(report["actions"], {"store": 16})
        self.assertEqual(report["comparison"]["firings"]["both"], 16, report["comparison"])
        self.assertFalse(report["range"]["complete"])  # the log is younger than an hour
        self.assertTrue([r for r in report["remarks"] if "reaches back" in r], report["remarks"])
        self.assertEqual(len(self.node.get(self.path + "/exec-logs?limit=200").data["logs"]), 16, "nothing ran")

    def test_alerts_and_who_would_have_been_told_are_rehearsed(self):
        receiver = Receiver()
        self.addCleanup(receiver.close)
        made = self.node.post("/cep/channels", {"channel_id": "ops", "name": "ops", "type": "webhook", "config": {"url": receiver.url + "/ops"}})
        self.assertEqual(made.status, 201, made)
        rule = self.node.create_rule(
            rule_name="hot", trigger_type="event", severity="high", alert={"resolve_after_seconds": 300},
            trigger_spec={"types": ["climate"], "field": "t", "op": ">", "value": 30, "group_by": ["room"]},
            action_spec={"type": "notify", "channels": ["ops"]})
        self.node.send_events([{"type": "climate", "data": {"room": room, "t": 40}} for room in "ab"])
        wait_until(lambda: len([c for c in receiver.calls if c.path == "/ops"]) >= 2, what="two notices")
        answer = self.node.post(f"/cep/rules/{rule['rule_id']}/backtest", {"from": moment(-3600), "to": moment(1)})
        path = "/cep/backtests/" + answer.data["backtest"]["job_id"]
        backtest = wait_until(lambda: (lambda b: b if b["finished_at"] else None)(self.node.get(path).data["backtest"]), 30)
        self.assertEqual(backtest["status"], "done", backtest)
        report = backtest["report"]
        self.assertEqual(report["alerts"]["total"], 2, report["alerts"])
        self.assertEqual(report["channels"]["ops"]["firing"], 2, report)
        self.assertEqual(report["comparison"]["alerts"]["both"], 2, report["comparison"])
        self.assertEqual(report["comparison"]["notices"]["both"], 2, report["comparison"])
        self.assertEqual(len([c for c in receiver.calls if c.path == "/ops"]), 2, "a rehearsal tells nobody")

    def test_a_changed_rule_is_tried_without_being_saved(self):
        changed = {"trigger_spec": {"types": ["door.opened"], "field": "door", "op": ">", "value": 7}}
        report = self.backtest(rule=changed)["report"]
        self.assertEqual(report["fired"]["total"], 8)
        self.assertEqual(report["comparison"]["firings"]["only_live"]["total"], 8)
        self.assertTrue(report["rule"]["changed"])
        self.assertEqual(self.node.get(self.path).data["rule"]["version"], 1)

    def test_mistakes_are_answered_at_once(self):
        for wish, pointer in (({"from": moment(0), "to": moment(-5)}, "/from"),
                              ({"from": "yesterday", "to": moment(0)}, "/from"),
                              ({"to": moment(0)}, "/from"),
                              ({"from": moment(-5), "to": moment(0), "rule": {"trigger_spec": {"field": "a", "op": "=>", "value": 1}}},
                               "/rule/trigger_spec/op")):
            answer = self.node.post(self.path + "/backtest", wish)
            self.assertEqual(answer.status, 400, answer)
            self.assertEqual(answer.json()["data"].get("pointer"), pointer, answer)
        self.assertEqual(self.node.post("/cep/rules/nobody/backtest", {"from": moment(-5), "to": moment(0)}).status, 404)
        self.assertEqual(self.node.get("/cep/backtests/00000000-0000-4000-8000-000000000000").status, 404)
        beat = self.node.create_rule(rule_name="beat", trigger_type="schedule", trigger_spec={"interval_seconds": 3600})
        answer = self.node.post(f"/cep/rules/{beat['rule_id']}/backtest", {"from": moment(-5), "to": moment(0)})
        self.assertEqual(answer.status, 400, answer)
        self.assertIn("stored events", answer.body.decode())

    def test_the_list_the_stream_and_calling_off(self):
        job = self.backtest()["job_id"]
        listed = self.node.get("/cep/backtests?rule_id=" + self.rule["rule_id"]).data["backtests"]
        self.assertIn(job, [b["job_id"] for b in listed])
        with Stream(self.node, f"/cep/backtests/{job}/stream") as lines:
            self.assertIn("event: finished", next(lines))
        answer = self.node.request("DELETE", "/cep/backtests/" + job)
        self.assertEqual(answer.data["backtest"]["status"], "done", "what is over stays as it is")

    def test_the_command_line_prints_a_report(self):
        env = {"TOBIT_URL": self.node.url, "TOBIT_USER": "admin", "TOBIT_PASSWORD": PASSWORD}
        done = tobit("rule", "backtest", "door", "--from", "1h", env=env)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("40 evaluated", done.stdout)
        self.assertIn("fired: 16", done.stdout)
        as_json = tobit("rule", "backtest", "door", "--from", "1h", "--json", env=env)
        self.assertEqual(json.loads(as_json.stdout)["report"]["fired"]["total"], 16)
        self.assertEqual(tobit("rule", "backtest", "door", "--from", "soon", env=env).returncode, 2)


class Debugging(unittest.TestCase):
    def test_every_evaluation_is_shown_while_somebody_watches(self):
        with Node() as node:
            rule = node.create_rule(**DOOR)
            path = f"/cep/rules/{rule['rule_id']}/debug"
            with Stream(node, path + "?seconds=60") as lines, Stream(node, path + "?only=matched") as matched:
                self.assertIn("event: watching", next(lines))
                self.assertIn("event: watching", next(matched))
                node.send_events([{"type": "door.opened", "data": {"door": 3}}, {"type": "door.opened", "data": {"door": 7}}])
                first, second = next(lines), next(lines)
                self.assertIn('"matched":false', first)
                self.assertIn('"why":"no verdict', first)
                self.assertIn('"references":', first)
                self.assertIn('"why":"it fires"', second)
                self.assertIn('"door":7', next(matched))
                # An edit does not end it.
                node.request("PUT", f"/cep/rules/{rule['rule_id']}", {"severity": "high"})
                node.send_events({"type": "door.opened", "data": {"door": 8}})
                self.assertIn('"version":2', next(lines))
            self.assertEqual(node.get("/cep/rules/nobody/debug").status, 404)

    def test_a_quiet_rule_is_watched_to_the_end(self):
        with Node(env={"TOBIT_ENTITY_IDLE_AFTER": "1s"}) as node:
            rule = node.create_rule(**DOOR)
            with Stream(node, f"/cep/rules/{rule['rule_id']}/debug?seconds=14") as lines:
                self.assertIn("event: watching", next(lines))
                time.sleep(10)  # two sweeps of idle entities
                node.send_events({"type": "door.opened", "data": {"door": 7}})
                self.assertIn('"why":"it fires"', next(lines))
                self.assertIn("event: expired", next(lines))

    def test_a_viewer_may_not_look_on(self):
        with Node() as node:
            rule = node.create_rule(**DOOR)
            made = node.post("/admin/users", {"username": "vera", "password": "a-long-password-1", "role": "viewer"})
            self.assertIn(made.status, (200, 201), made)
            token = node.login("vera", "a-long-password-1")
            answer = node.get(f"/cep/rules/{rule['rule_id']}/debug", headers={"Authorization": "Bearer " + token})
            self.assertEqual(answer.status, 403, answer)


class TestFiles(unittest.TestCase):
    def test_files_pass_fail_or_cannot_be_read(self):
        with tempfile.TemporaryDirectory() as folder:
            def write(name, text):
                path = os.path.join(folder, name)
                with open(path, "w") as out:
                    out.write(text)
                return path
            rule = "rules:\n  - " + json.dumps(DOOR) + "\ntimeline:\n"
            good = write("good.yaml", rule + "  - at: 10s\n    push: {type: door.opened, data: {door: 7}}\n    expect: firing\n")
            bad = write("bad.yaml", rule + "  - at: 10s\n    push: {type: door.opened, data: {door: 3}}\n    expect: firing\n")
            broken = write("broken.yaml", rule + "  - at: 10s\n    expekt: firing\n")
            junit = os.path.join(folder, "junit.xml")

            done = tobit("rule", "test", good)
            self.assertEqual((done.returncode, done.stderr), (0, ""), done)
            self.assertIn("1 passed, 0 failed", done.stdout)

            done = tobit("rule", "test", good, bad, "--junit", junit)
            self.assertEqual(done.returncode, 1, done)
            self.assertIn(f"{bad}:6:13 at 10s", done.stdout)
            self.assertIn("expected: firing", done.stdout)
            self.assertIn("happened: nothing fired", done.stdout)
            suites = xml.etree.ElementTree.parse(junit).getroot()
            self.assertEqual((suites.get("tests"), suites.get("failures")), ("2", "1"))

            done = tobit("rule", "test", broken, "--json")
            self.assertEqual(done.returncode, 2, done)
            self.assertEqual(json.loads(done.stdout)["files"][0]["errors"][0]["where"], f"{broken}:5:13")
            self.assertEqual(tobit("rule", "test", os.path.join(folder, "nowhere.yaml")).returncode, 2)


if __name__ == "__main__":
    unittest.main()
