"""From the first command to a stopped node."""
import json
import os
import re
import stat
import unittest

from support.node import Node, wait_until, PASSWORD


class FirstRun(unittest.TestCase):
    def test_a_fresh_node_prints_where_it_is_and_the_password_once(self):
        with Node(env={"TOBIT_ADMIN_PASSWORD": ""}, examples=True) as node:
            with open(os.path.join(node.data_dir, "ready")) as ready:
                self.assertEqual(ready.read().strip().split("ready ", 1)[-1], node.url)
            password = re.search(rb"password[^\n]*?[:=]\s*(\S+)", open(node.log_path, "rb").read())
            self.assertIsNotNone(password, node.tail())
            node.login(password=password.group(1).decode())
            code, seconds = node.stop()
            self.assertEqual(code, 0)
            self.assertLess(seconds, 5)
            open(node.log_path, "w").close()
            node.start()
            self.assertNotIn(password.group(1), open(node.log_path, "rb").read())
            node.login(password=password.group(1).decode())

    def test_the_example_pack_fires_on_this_very_machine(self):
        with Node(examples=True) as node:
            rules = node.get("/cep/rules").data["rules"]
            self.assertGreaterEqual(len(rules), 5)
            self.assertIn("metric", {rule["trigger_type"] for rule in rules})
            self.assertIn("schedule", {rule["trigger_type"] for rule in rules})
            wait_until(lambda: node.get("/cep/events").data["events"], 75, "an event of the example pack", pause=0.5)
            names = {rule["rule_name"] for rule in rules}
            self.assertLessEqual({event["rule_name"] for event in node.get("/cep/events").data["events"]}, names)

    def test_examples_are_not_doubled_by_a_restart(self):
        with Node(examples=True) as node:
            before = {rule["rule_id"] for rule in node.get("/cep/rules").data["rules"]}
            node.stop()
            node.start()
            self.assertEqual({rule["rule_id"] for rule in node.get("/cep/rules").data["rules"]}, before)

    def test_a_second_node_on_the_same_folder_is_refused_with_a_sentence(self):
        with Node() as node:
            with self.assertRaises(AssertionError) as refused:
                Node(data_dir=node.data_dir)
            self.assertRegex(str(refused.exception), r"(?i)another|already|in use|locked")
            self.assertEqual(node.get("/healthz", auth=False).status, 200)

    def test_health_metrics_and_the_description_of_the_api_are_there(self):
        with Node() as node:
            self.assertEqual(node.get("/health/live", auth=False).status, 200)
            ready = node.get("/health/ready", auth=False)
            self.assertEqual(ready.status, 200, ready)
            document = json.loads(node.get("/openapi.json", auth=False).body)
            self.assertTrue(document["openapi"].startswith("3.1"))
            self.assertIn("/cep/rules/{rule_id}", document["paths"])
            for page in ("/", "/docs"):
                self.assertEqual(node.get(page, auth=False).status, 200)
            metrics = node.get("/metrics").body.decode()
            self.assertIn("tobit_http_requests_total", metrics)

    def test_what_is_secret_is_for_the_owner_only(self):
        with Node() as node:
            for name in os.listdir(node.data_dir):
                if name.endswith((".db", ".sqlite", ".key", "secret")):
                    mode = stat.S_IMODE(os.stat(os.path.join(node.data_dir, name)).st_mode)
                    self.assertEqual(mode & 0o077, 0, f"{name} is {oct(mode)}")
            node.login()
            self.assertNotIn(PASSWORD.encode(), open(node.log_path, "rb").read())


if __name__ == "__main__":
    unittest.main()
