"""A node on SQLite moves to PostgreSQL, whole."""
import json
import os
import subprocess
import tempfile
import unittest
import uuid

from support.node import Node, PROGRAM, event_rule, wait_until
from support.receiver import Receiver

SERVER = os.environ.get("TOBIT_TEST_DATABASE_URL")


def psql(sql):
    subprocess.run(["psql", "-q", "-d", SERVER, "-c", sql], check=True, capture_output=True)


@unittest.skipUnless(SERVER, "needs PostgreSQL: ./dev postgres …")
class Promote(unittest.TestCase):
    def setUp(self):
        self.name = "p" + uuid.uuid4().hex
        psql(f"CREATE DATABASE {self.name}")
        self.url = SERVER.rsplit("/", 1)[0] + "/" + self.name

    def tearDown(self):
        psql(f"DROP DATABASE {self.name} WITH (FORCE)")

    def promote(self, data_dir, *more):
        env = {k: v for k, v in os.environ.items() if not k.startswith("TOBIT_")}
        return subprocess.run([PROGRAM, "promote", "--data-dir", data_dir, "--to", self.url, *more], env=env,
                              capture_output=True, text=True, timeout=120)

    def test_everything_is_there_after_the_move(self):
        with tempfile.TemporaryDirectory(prefix="tobit-promote.") as folder, Receiver() as receiver:
            with Node(data_dir=folder) as node:
                rule = node.create_rule(**event_rule(receiver.url + "/hook", name="이사"))
                many = [node.create_rule(**event_rule(receiver.url + "/other", name=f"rule {i}", value=1000)) for i in range(30)]
                node.send_events([{"type": "t", "data": {"value": 11 + i}} for i in range(3)])
                receiver.wait_for(3)
                running = self.promote(folder)
                self.assertEqual(running.returncode, 2, running.stderr)
                self.assertIn("stop it", running.stderr)
                before = {r["rule_id"]: r["rule_name"] for r in node.get("/cep/rules?limit=100").data["rules"]}
                self.assertEqual(node.stop()[0], 0)

            done = self.promote(folder, "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertGreater(json.loads(done.stdout)["rows"], 60)
            again = self.promote(folder)
            self.assertEqual(again.returncode, 2, again.stderr)
            self.assertIn("is not empty", again.stderr)

            with Node(env={"TOBIT_DATABASE_URL": self.url}) as node:
                after = {r["rule_id"]: r["rule_name"] for r in node.get("/cep/rules?limit=100").data["rules"]}
                self.assertEqual(after, before)
                self.assertEqual(len(after), len(many) + 1)
                self.assertEqual(after[rule["rule_id"]], "이사")
                node.send_events([{"type": "t", "data": {"value": 99}}])
                receiver.wait_for(4)
                def executions():
                    return node.get(f"/cep/rules/{rule['rule_id']}/exec-logs").data["logs"]
                wait_until(lambda: len(executions()) == 4, what="the executions of before and after the move")


if __name__ == "__main__":
    unittest.main()
