"""Endpoints that misbehave, disks that fill up, files that are broken."""
import os
import shutil
import subprocess
import tempfile
import time
import unittest

from support.node import Node, PROGRAM, event_rule, wait_until
from support.receiver import Receiver


class Endpoints(unittest.TestCase):
    def test_an_action_endpoint_may_hang_fail_close_early_or_stream_for_ever(self):
        behaviours = {"/hang": "hang", "/500": 500, "/close": "close", "/stream": "stream", "/redirect": 302, "/404": 404, "/ok": 200}
        with Receiver(lambda call: behaviours[call.path]) as receiver, Node() as node:
            for path in behaviours:
                node.create_rule(**event_rule(receiver.url + path, path))
            node.send_events({"type": "t", "data": {"value": 11}})
            wait_until(lambda: {c.path for c in receiver.calls} >= set(behaviours), 20, "a call of every endpoint")
            repeated = wait_until(lambda: [c for c in receiver.calls if c.path == "/500"][1:2], 20, "a retry of the 500")
            self.assertEqual(repeated[0].key, [c for c in receiver.calls if c.path == "/500"][0].key)
            # The healthy one is not held up by the sick ones.
            begun = time.monotonic()
            node.send_events({"type": "t", "data": {"value": 12}})
            wait_until(lambda: len([c for c in receiver.calls if c.path == "/ok"]) >= 2, 5)
            self.assertLess(time.monotonic() - begun, 2)
            failed = wait_until(lambda: [rule for rule in node.get("/cep/rules").data["rules"] if rule["rule_name"] == "/404"])
            logs = wait_until(lambda: [log for log in node.get(f"/cep/rules/{failed[0]['rule_id']}/exec-logs").data["logs"]
                                       if log["status"] == "fail"])
            self.assertIn("404", logs[0]["error_message"])
            code, seconds = node.stop()
            self.assertEqual(code, 0)
            self.assertLess(seconds, 5, "a hanging endpoint held up the stop")

    def test_a_metric_source_may_return_html(self):
        with Receiver(lambda call: (200, "text/html", b"<html>hello</html>")) as source, Node() as node:
            rule = node.create_rule(rule_name="html", trigger_type="metric",
                                    trigger_spec={"source": "runtime", "endpoint": source.url + "/", "value_path": "a", "op": ">",
                                                  "threshold": 1, "poll_interval_seconds": 1})
            source.wait_for(2, 20)
            view = wait_until(lambda: [v for v in [node.get(f"/actors/rule/{rule['rule_id']}").body] if b"JSON" in v], 10,
                              "the reason in the actor's view")
            self.assertTrue(view)

    def test_retries_survive_a_restart(self):
        state = {"status": 500}
        with Receiver(lambda call: state["status"]) as receiver, Node() as node:
            node.create_rule(**event_rule(receiver.url + "/retry", "retry"))
            node.send_events({"type": "t", "data": {"value": 11}})
            receiver.wait_for(1)
            node.kill()
            state["status"] = 200
            node.start()
            calls = receiver.wait_for(2, 30)
            self.assertEqual(len({c.key for c in calls}), 1)


class Storage(unittest.TestCase):
    def run_once(self, env, seconds=15):
        base = {k: v for k, v in os.environ.items() if not k.startswith("TOBIT_")}
        return subprocess.run([PROGRAM, "serve"], env={**base, "TOBIT_HTTP_ADDRESS": "127.0.0.1:0", **env}, capture_output=True,
                              text=True, timeout=seconds)

    def refused(self, env, pattern):
        result = self.run_once(env)
        self.assertNotIn(result.returncode, (0, -6, -11, 134, 139), result.stderr)
        self.assertRegex(result.stderr, pattern)
        self.assertNotIn("terminate called", result.stderr)

    def test_a_broken_configuration_file_is_refused_with_its_line(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "tobit.yaml")
            for text in ("http:\n  address: [1\n", "\x00\x01\x02", "http:\n  adress: 127.0.0.1:80\n", "storage: 5\n"):
                with open(path, "w") as file:
                    file.write(text)
                self.refused({"TOBIT_CONFIG": path, "TOBIT_DATA_DIR": folder}, r"tobit\.yaml")
            self.refused({"TOBIT_CONFIG": folder + "/missing.yaml", "TOBIT_DATA_DIR": folder}, r"missing\.yaml")

    def test_a_data_folder_that_cannot_be_written_is_refused(self):
        self.refused({"TOBIT_DATA_DIR": "/proc/nowhere"}, r"(?i)/proc/nowhere")

    def test_a_file_that_is_no_database_is_refused_and_left_alone(self):
        with Node() as node:
            node.stop()
            databases = [n for n in os.listdir(node.data_dir) if n.endswith((".db", ".sqlite"))]
            self.assertEqual(len(databases), 1, os.listdir(node.data_dir))
            path = os.path.join(node.data_dir, databases[0])
            for extra in ("-wal", "-shm"):
                if os.path.exists(path + extra):
                    os.remove(path + extra)
            with open(path, "wb") as file:
                file.write(b"this is not a database" * 1000)
            self.refused({"TOBIT_DATA_DIR": node.data_dir}, r"(?i)database")
            self.assertTrue(open(path, "rb").read().startswith(b"this is not"))

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("mount"), "needs to mount a small tmpfs")
    def test_a_full_disk_refuses_changes_and_recovers(self):
        folder = tempfile.mkdtemp(prefix="tobit-full.")
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", folder], capture_output=True).returncode != 0:
            os.rmdir(folder)
            self.skipTest("mounting is not permitted here")
        try:
            with Node(data_dir=folder) as node:
                rule = node.create_rule(**event_rule("http://127.0.0.1:9/x", "before", action_spec={"type": "store"}))
                with open(os.path.join(folder, "filler"), "wb") as filler:
                    try:
                        while True:
                            filler.write(b"x" * 65536)
                            filler.flush()
                    except OSError:
                        pass
                answer = None
                for _ in range(400):  # noise does not compress: every request needs its space
                    noise = os.urandom(100_000).hex()
                    answer = node.post("/cep/events/ingest", {"type": "noise", "data": {"noise": noise}})
                    if answer.status >= 400:
                        break
                self.assertIn(answer.status, (503, 507), answer)
                self.assertIn(answer.error, ("STORAGE_FULL", "DATABASE_ERROR"), answer)
                self.assertEqual(node.get(f"/cep/rules/{rule['rule_id']}").status, 200)
                os.remove(os.path.join(folder, "filler"))
                wait_until(lambda: node.post("/cep/rules", event_rule("http://127.0.0.1:9/x", "after")).status in (200, 201), 15,
                           "a write after space was freed")
        finally:
            subprocess.run(["umount", "-l", folder])
            os.rmdir(folder)

    def test_a_database_locked_by_somebody_else_gives_an_answer_in_time(self):
        import sqlite3
        with Node() as node:
            path = os.path.join(node.data_dir, [n for n in os.listdir(node.data_dir) if n.endswith((".db", ".sqlite"))][0])
            node.login()
            lock = sqlite3.connect(path, isolation_level=None)
            lock.execute("BEGIN IMMEDIATE")
            begun = time.monotonic()
            answer = node.post("/cep/rules", event_rule("http://127.0.0.1:9/x", "locked"))
            self.assertIn(answer.status, (503, 504), answer)
            self.assertLess(time.monotonic() - begun, 20)
            self.assertEqual(node.get("/health/live", auth=False).status, 200)
            lock.execute("ROLLBACK")
            lock.close()
            wait_until(lambda: node.post("/cep/rules", event_rule("http://127.0.0.1:9/x", "unlocked")).status in (200, 201), 20)


if __name__ == "__main__":
    unittest.main()
