"""Rules kept in files: applied when they change, refused as a whole when wrong, never lost."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from support.node import PROGRAM, Node, wait_until

RULE = """rule_name: {name}
trigger_type: event
trigger_spec:
  types: [{type}]
action_spec: {{type: store}}
"""


class RulesDir(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tobit-rules."))
        self.addCleanup(shutil.rmtree, self.folder, True)

    def start(self, **env):
        node = Node({"TOBIT_RULES_DIR": str(self.folder), "TOBIT_RULES_DIR_RESCAN": "2s", **env})
        self.addCleanup(node.close)
        return node

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".tmp").write_text(text)
        path.with_suffix(".tmp").rename(path)

    def files(self, node):
        return {f["path"]: f for f in node.get("/cep/rules-dir").data["files"]}

    def rules(self, node):
        return {r["rule_name"]: r for r in node.get("/cep/rules").data["rules"]}

    def applied(self, node, *names):
        def all_there():
            files = self.files(node)
            return all(files.get(n, {}).get("status") == "applied" for n in names) and files
        return wait_until(all_there, 20, f"{names} applied")

    def test_files_are_applied_changed_and_removed(self):
        self.write("a.yaml", RULE.format(name="one", type="a") + "---\n" + RULE.format(name="two", type="a"))
        self.write("deep/b.yaml", RULE.format(name="three", type="b"))
        node = self.start()
        self.applied(node, "a.yaml", "deep/b.yaml")
        self.assertEqual(set(self.rules(node)), {"one", "two", "three"})
        ids = {n: r["rule_id"] for n, r in self.rules(node).items()}
        # A change reaches the rule; what did not change keeps its version.
        self.write("a.yaml", RULE.format(name="one", type="changed") + "---\n" + RULE.format(name="two", type="a"))
        wait_until(lambda: self.rules(node)["one"]["trigger_spec"]["types"] == ["changed"], 20, "the change")
        self.assertEqual(self.rules(node)["two"]["version"], 1)
        self.assertEqual(self.rules(node)["one"]["rule_id"], ids["one"])
        # What the file says no more is taken back.
        self.write("a.yaml", "severity: high\n" + RULE.format(name="one", type="changed"))
        wait_until(lambda: self.rules(node)["one"]["severity"] == "high", 20, "the severity")
        wait_until(lambda: self.rules(node)["two"]["is_active"] is False, 20, "the rule that went away")
        self.write("a.yaml", RULE.format(name="one", type="changed") + "---\n" + RULE.format(name="two", type="a"))
        wait_until(lambda: self.rules(node)["one"]["severity"] == "info" and self.rules(node)["two"]["is_active"], 20, "both again")
        self.assertEqual(self.rules(node)["two"]["rule_id"], ids["two"])
        # A file that is gone.
        (self.folder / "deep" / "b.yaml").unlink()
        wait_until(lambda: self.rules(node)["three"]["is_active"] is False, 20, "the file that went away")
        # A restart changes nothing.
        versions = {n: r["version"] for n, r in self.rules(node).items()}
        node.stop()
        node.token = None
        node.start()
        self.applied(node, "a.yaml")
        self.assertEqual({n: r["version"] for n, r in self.rules(node).items()}, versions)

    def test_a_wrong_file_changes_nothing_and_says_where(self):
        self.write("a.yaml", RULE.format(name="one", type="a"))
        node = self.start()
        self.applied(node, "a.yaml")
        self.write("a.yaml", RULE.format(name="one", type="b") + "---\nrule_name: two\ntrigger_type: event\ntrigger_spec:\n  field: a\n  op: near\n  value: 1\n")
        wait_until(lambda: self.files(node)["a.yaml"]["status"] == "refused", 20, "the refusal")
        [flaw] = self.files(node)["a.yaml"]["errors"]
        self.assertEqual((flaw["place"], flaw["pointer"]), ("a.yaml:11:3", "/trigger_spec/op"))
        self.assertEqual(self.rules(node)["one"]["trigger_spec"]["types"], ["a"])
        for text in ("a: [", "\t", "kind: dragon\nname: x\n", "- 7\n", "\x00", RULE.format(name="one", type="x") + "---\n" + RULE.format(name="one", type="y"),
                     "&a [*a, *a]\n", "x" * (5 << 20)):
            self.write("a.yaml", "# different each time %d\n" % len(text) + text)
            wait_until(lambda: self.files(node)["a.yaml"]["status"] == "refused", 20, repr(text[:20]))
        self.assertEqual(self.rules(node)["one"]["version"], 1)
        self.assertIn('tobit_definition_files{status="refused"} 1', node.get("/metrics").body.decode())
        self.write("a.yaml", RULE.format(name="one", type="good"))
        wait_until(lambda: self.rules(node)["one"]["trigger_spec"]["types"] == ["good"], 20, "the mended file")

    def test_a_rule_of_a_file_is_changed_past_it_by_force_only(self):
        self.write("a.yaml", RULE.format(name="one", type="a"))
        node = self.start()
        self.applied(node, "a.yaml")
        path = "/cep/rules/" + self.rules(node)["one"]["rule_id"]
        refused = node.request("PUT", path, {"severity": "high"})
        self.assertEqual((refused.status, refused.data["file"]), (409, "a.yaml"), refused)
        self.assertEqual(node.request("DELETE", path).status, 409)
        self.assertEqual(node.post(path + "/disable").status, 200)
        self.assertEqual(node.request("PUT", path + "?force=true", {"severity": "high"}).status, 200)
        node.post("/cep/rules-dir/rescan")
        wait_until(lambda: self.rules(node)["one"]["severity"] == "info" and self.rules(node)["one"]["is_active"], 20, "the file's word")

    def test_channels_and_alerting_of_a_file_are_changed_past_it_by_force_only(self):
        self.write("a.yaml", "kind: channel\nchannel_id: ops\nname: Ops\ntype: webhook\nconfig: {url: 'https://ops.example.org/'}\n---\n"
                   "kind: alerting\nnotifications: [{notification_id: all, name: all, channels: [ops]}]\n")
        node = self.start()
        self.applied(node, "a.yaml")
        more = {"notification_id": "more", "name": "more", "channels": ["ops"]}
        for method, path, body in (("PUT", "/cep/channels/ops", {"name": "x"}), ("DELETE", "/cep/channels/ops", None),
                                   ("PUT", "/cep/alerting", {"notifications": []}), ("POST", "/cep/notifications", more),
                                   ("PUT", "/cep/notifications/all", {"name": "x"}), ("DELETE", "/cep/notifications/all", None)):
            refused = node.request(method, path, body)
            self.assertEqual((refused.status, refused.data["file"]), (409, "a.yaml"), (method, path, refused))
        self.assertEqual(node.post("/cep/notifications?force=true", more).status, 201)
        self.assertEqual(node.request("PUT", "/cep/channels/ops?force=true", {"name": "x"}).status, 200)
        self.assertEqual(node.post("/cep/channels", {"name": "by hand", "type": "webhook", "config": {"url": "https://a.example.org/"}}).status, 201)

    def test_another_tenant_sees_nothing_of_the_folder(self):
        self.write("a.yaml", RULE.format(name="one", type="a"))
        node = self.start()
        self.applied(node, "a.yaml")
        made = node.post("/admin/users", {"username": "bo", "password": "a-long-password-1", "role": "admin", "tenant_id": "other"})
        self.assertEqual(made.status, 201, made)
        mine = node.token
        other = {"Authorization": "Bearer " + node.login("bo", "a-long-password-1")}
        node.token = mine
        for answer in (node.get("/cep/rules-dir", headers=other), node.post("/cep/rules-dir/rescan", headers=other)):
            self.assertEqual((answer.status, answer.data["enabled"], answer.data["files"]), (200, False, []), answer)

    def test_two_files_cannot_say_what_one_rule_is(self):
        self.write("a.yaml", RULE.format(name="one", type="a"))
        node = self.start()
        self.applied(node, "a.yaml")
        self.write("b.yaml", RULE.format(name="one", type="b"))
        wait_until(lambda: self.files(node).get("b.yaml", {}).get("status") == "refused", 20, "the second one")
        self.assertIn("a.yaml", self.files(node)["b.yaml"]["errors"][0]["message"])

    def test_an_empty_folder_is_not_believed_and_a_missing_one_neither(self):
        self.write("a.yaml", RULE.format(name="one", type="a"))
        node = self.start(TOBIT_RULES_DIR_REMOVED="delete")
        self.applied(node, "a.yaml")
        (self.folder / "a.yaml").unlink()
        wait_until(lambda: "holds no file" in (node.get("/cep/rules-dir").data["error"] or ""), 20, "the doubt")
        self.assertTrue(self.rules(node)["one"]["is_active"])
        os.rename(self.folder, str(self.folder) + ".away")
        wait_until(lambda: "There is no folder" in (node.get("/cep/rules-dir").data["error"] or ""), 20, "the missing folder")
        os.rename(str(self.folder) + ".away", self.folder)
        node.post("/cep/rules-dir/rescan")
        wait_until(lambda: "one" not in self.rules(node), 20, "the deletion")

    def test_a_config_map_is_followed_and_links_that_lead_out_are_not(self):
        def config_map(version, text):
            (self.folder / f"..{version}").mkdir()
            (self.folder / f"..{version}" / "rules.yaml").write_text(text)
            os.symlink(f"..{version}", self.folder / "..data_tmp")
            os.rename(self.folder / "..data_tmp", self.folder / "..data")
        config_map(1, RULE.format(name="one", type="a"))
        os.symlink("..data/rules.yaml", self.folder / "rules.yaml")
        outside = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, outside, True)
        (outside / "x.yaml").write_text(RULE.format(name="outside", type="x"))
        os.symlink(outside / "x.yaml", self.folder / "out.yaml")
        os.symlink("..", self.folder / "circle")
        node = self.start()
        self.applied(node, "rules.yaml")
        self.assertEqual(self.files(node)["out.yaml"]["status"], "refused")
        config_map(2, RULE.format(name="one", type="b"))
        wait_until(lambda: self.rules(node)["one"]["trigger_spec"]["types"] == ["b"], 20, "the new ConfigMap")
        self.assertNotIn("outside", self.rules(node))

    def test_channels_and_alerting_are_kept_in_files_too(self):
        self.write("channels.yaml", "kind: channel\nchannel_id: ops-hook\nname: Ops\ntype: webhook\nconfig: {url: 'http://127.0.0.1:9/hook'}\n")
        self.write("alerting.yaml", "kind: alerting\nnotifications:\n  - {notification_id: all, name: Everything, channels: [ops-hook]}\n")
        self.write("rule.yaml", RULE.format(name="one", type="a") + "alert: {cooldown_seconds: 5}\n")
        node = self.start()
        self.applied(node, "channels.yaml", "alerting.yaml", "rule.yaml")
        self.assertEqual(node.get("/cep/channels/ops-hook").data["channel"]["name"], "Ops")
        self.assertEqual(node.get("/cep/alerting").data["alerting"]["notifications"][0]["notification_id"], "all")
        self.assertEqual(self.rules(node)["one"]["alert"]["cooldown_seconds"], 5)
        # A section that the file leaves out is gone; the one alerting document stays when its file goes.
        self.write("rule.yaml", RULE.format(name="one", type="a"))
        wait_until(lambda: not self.rules(node)["one"].get("alert"), 20, "the rule without alerts")
        (self.folder / "alerting.yaml").unlink()
        (self.folder / "channels.yaml").unlink()
        wait_until(lambda: set(self.files(node)) == {"rule.yaml"}, 20, "both files gone")
        self.assertFalse(node.get("/cep/channels/ops-hook").data["channel"]["is_active"])
        self.assertEqual(len(node.get("/cep/alerting").data["alerting"]["notifications"]), 1)

    def test_export_and_apply_of_files_write_no_further_versions(self):
        node = self.start()
        file = self.folder.parent / (self.folder.name + ".yaml")
        self.addCleanup(file.unlink)
        file.write_text(RULE.format(name="by hand", type="a"))
        env = {**os.environ, "TOBIT_URL": node.url, "TOBIT_TOKEN": node.login()}

        def tobit(*arguments, **more):
            return subprocess.run([PROGRAM, *arguments], env=env, capture_output=True, text=True, timeout=60, **more)
        self.assertIn("created", tobit("rule", "apply", "-f", str(file)).stdout)
        self.assertIn("unchanged", tobit("rule", "apply", "-f", str(file), "--dry-run").stdout)
        self.assertIn("unchanged", tobit("rule", "apply", "-f", str(file)).stdout)
        exported = tobit("rule", "export")
        self.assertEqual(exported.returncode, 0, exported.stderr)
        self.assertIn("unchanged", tobit("rule", "apply", "-f", "-", input=exported.stdout).stdout)
        self.assertEqual(self.rules(node)["by hand"]["version"], 1)
        imported = node.post("/cep/rules/import?on_conflict=replace", node.get("/cep/rules/export?format=json").json()["rules"])
        self.assertEqual(imported.data["results"][0]["status"], "unchanged", imported)
        # A file of the folder takes a rule over that was made by hand.
        self.write("a.yaml", RULE.format(name="by hand", type="a"))
        self.applied(node, "a.yaml")
        self.assertEqual(self.rules(node)["by hand"]["version"], 1)


if __name__ == "__main__":
    unittest.main()
