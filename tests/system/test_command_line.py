"""The command line against a running node."""
import json
import os
import subprocess
import tempfile
import unittest

from support.node import Node, PASSWORD, PROGRAM, wait_until
from support.receiver import Receiver


class CommandLine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node()
        cls.home = tempfile.mkdtemp(prefix="tobit-home.")

    @classmethod
    def tearDownClass(cls):
        cls.node.close()

    def run_tobit(self, *args, stdin=None, url=None, ok=True):
        env = {k: v for k, v in os.environ.items() if not k.startswith("TOBIT_")}
        env.update({"TOBIT_HOME": self.home, "TOBIT_URL": url or self.node.url, "TOBIT_USER": "admin", "TOBIT_PASSWORD": PASSWORD})
        result = subprocess.run([PROGRAM, *args], env=env, input=stdin, capture_output=True, text=True, timeout=120)
        if ok:
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result

    def test_help_reads_well_for_every_command(self):
        top = self.run_tobit("--help").stdout
        for word in ("serve", "config", "rule", "event", "actors"):
            self.assertIn(word, top)
            self.assertGreater(len(self.run_tobit(word, "--help").stdout), 100)

    def test_settings_are_listed_with_key_variable_and_flag(self):
        listed = json.loads(self.run_tobit("config", "list", "--json").stdout)
        rows = listed if isinstance(listed, list) else listed["settings"]
        self.assertGreater(len(rows), 20)
        for row in rows:
            self.assertTrue(row["variable"].startswith("TOBIT_"), row)
            self.assertTrue(row["flag"].startswith("--"), row)
            self.assertTrue(row["description"], row)

    def test_a_rule_from_file_to_webhook_to_deletion(self):
        with Receiver() as receiver, tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(f"rule_name: from file\ntrigger_type: event\ntrigger_spec: {{field: v, op: '>', value: 1}}\n"
                       f"action_spec: {{type: webhook, method: POST, endpoint: '{receiver.url}/cli'}}\n")
            file.flush()
            self.run_tobit("rule", "apply", "-f", file.name)
            self.run_tobit("rule", "apply", "-f", file.name)
            rules = json.loads(self.run_tobit("rule", "list", "--json").stdout)
            rules = [r for r in (rules if isinstance(rules, list) else rules["rules"]) if r["rule_name"] == "from file"]
            self.assertEqual(len(rules), 1, "applying twice made two rules")
            self.run_tobit("event", "send", json.dumps({"type": "t", "data": {"v": 2}}))
            receiver.wait_for(1)
            self.assertIn(rules[0]["rule_id"], self.run_tobit("rule", "get", rules[0]["rule_id"]).stdout)
            self.assertIn("from file", self.run_tobit("actors").stdout)
            self.run_tobit("rule", "delete", rules[0]["rule_id"])

    def test_refusals_say_what_is_wrong_and_set_the_exit_code(self):
        bad = self.run_tobit("rule", "apply", "-f", "-", stdin='{"rule_name":"x","trigger_type":"schedule","trigger_spec":{"cron":"61 * * * *"}}', ok=False)
        self.assertEqual(bad.returncode, 1, bad.stderr)
        self.assertIn("/trigger_spec/cron", bad.stdout + bad.stderr)
        gone = self.run_tobit("rule", "list", url="http://127.0.0.1:1", ok=False)
        self.assertEqual(gone.returncode, 3, gone.stderr)
        self.assertEqual(self.run_tobit("frobnicate", ok=False).returncode, 2)


if __name__ == "__main__":
    unittest.main()
