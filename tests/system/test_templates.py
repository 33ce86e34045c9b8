"""Templates: every one becomes a rule; those over events fire on their own example."""
import subprocess
import os
import unittest

from support.node import PROGRAM, Node, wait_until


class Templates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node()

    @classmethod
    def tearDownClass(cls):
        cls.node.close()

    def instantiate(self, one, **body):
        parameters = {**one["example"].get("parameters", {}), **body.pop("parameters", {})}
        for name, schema in one["parameters"]["properties"].items():
            if schema.get("format") == "uri":
                parameters.setdefault(name, "http://127.0.0.1:9/")
        answer = self.node.post(f"/cep/templates/{one['id']}/instantiate", {"parameters": parameters, **body})
        self.assertIn(answer.status, (200, 201), (one["id"], answer))
        return answer.data["rule"]

    def all(self):
        return [self.node.get("/cep/templates/" + t["id"]).data["template"] for t in self.node.get("/cep/templates").data["templates"]]

    def test_every_template_is_checked_and_saved(self):
        self.assertGreaterEqual(len(self.all()), 12)
        for one in self.all():
            self.instantiate(one, dry_run=True)
            rule = self.instantiate(one, changes={"is_active": False})
            self.assertEqual(rule["labels"]["template"], one["id"])

    def test_templates_over_events_fire_on_their_example(self):
        for one in self.all():
            example = one["example"]
            if "event" not in example["fires"] or "wait_seconds" in example["fires"]:
                continue  # what needs time to pass is rehearsed with simulated time in the unit tests
            rule = self.instantiate(one)
            for phase in ("before", "silent", "fires"):
                events = example.get(phase, {}).get("event", [])
                events = events if isinstance(events, list) else [events]
                if phase == "fires":
                    self.assertFalse(self.node.get(f"/cep/events?rule_id={rule['rule_id']}").data["events"], one["id"])
                if events:
                    self.node.send_events(events)
            wait_until(lambda: self.node.get(f"/cep/events?rule_id={rule['rule_id']}").data["events"], 20, one["id"])

    def test_the_command_line_lists_shows_and_applies(self):
        env = {**os.environ, "TOBIT_URL": self.node.url, "TOBIT_TOKEN": self.node.login()}

        def tobit(*arguments):
            return subprocess.run([PROGRAM, *arguments], env=env, capture_output=True, text=True, timeout=60)
        self.assertIn("host-cpu-busy", tobit("rule", "template", "list").stdout)
        self.assertIn("threshold:", tobit("rule", "template", "show", "host-cpu-busy").stdout)
        dry = tobit("rule", "template", "apply", "host-cpu-busy", "--set", "threshold=71", "--dry-run")
        self.assertIn("threshold: 71", dry.stdout, dry.stderr)
        made = tobit("rule", "template", "apply", "host-cpu-busy", "--set", "threshold=71", "--name", "by hand")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertIn("by hand", {r["rule_name"] for r in self.node.get("/cep/rules").data["rules"]})
        wrong = tobit("rule", "template", "apply", "host-cpu-busy", "--set", "treshold=71")
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("did you mean 'threshold'", wrong.stderr)


if __name__ == "__main__":
    unittest.main()
