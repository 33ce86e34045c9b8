"""Channels as people and services meet them: real servers that speak the protocols, deaths in the middle."""
import hashlib
import hmac
import json
import os
import shutil
import sqlite3
import tempfile
import unittest
import urllib.parse
import uuid

from support.mail_server import DyingMailServer, MailServer, make_certificates
from support.node import Node, wait_until
from support.receiver import Receiver

SECRETS = {"TOBIT_SECRET_SLACK": "xoxb-slack-token", "TOBIT_SECRET_TWILIO": "twilio-token", "TOBIT_SECRET_PAGER": "pager-key",
           "TOBIT_SECRET_HMAC": "hmac-key", "TOBIT_CHANNEL_TIMEOUT": "2s", "TOBIT_CHANNEL_MAIL_TIMEOUT": "3s"}


def notice(notice_id=None, thread="", reason="firing", title="Disk of db-1 is full"):
    """A notice as the alerting sends it."""
    return {"notice_id": notice_id or str(uuid.uuid4()), "thread": thread, "reason": reason, "severity": "critical",
            "alerts": [{"alert_id": "a1", "status": "firing", "severity": "critical", "rule_id": "r1", "rule_name": "Disk full",
                        "labels": {"host": "db-1"}, "annotations": {"summary": title}, "values": {"used": 97}}],
            "alerts_total": 1, "at_us": 1795000060000000}


class ChannelCase(unittest.TestCase):
    env = {}

    def setUp(self):
        self.node = Node(env={**SECRETS, **self.env})
        self.addCleanup(self.node.close)

    def receiver(self, behave=None):
        made = Receiver(behave)
        self.addCleanup(made.close)
        return made

    def channel(self, channel_id, **fields):
        answer = self.node.post("/cep/channels", {"channel_id": channel_id, "name": channel_id, **fields})
        self.assertEqual(answer.status, 201, answer)
        return answer.data["channel"]

    def tell(self, channel_id, said):
        """Hands a notice to a channel the way that is open to users: as a dead letter that is replayed."""
        letter = str(uuid.uuid4())
        store = sqlite3.connect(os.path.join(self.node.data_dir, "tobit.db"), timeout=10)
        with store:
            store.execute("INSERT INTO dead_letter (id, tenant, channel, channel_type, notice_id, reason, severity, title, "
                          "error_name, error, attempts, tried, notice, at) VALUES (?, 'default', ?, '', ?, 'firing', 'critical', "
                          "'seed', '', 'seed', 0, '[]', ?, ?)", (letter, channel_id, said["notice_id"], json.dumps(said), 1795000060000000))
        store.close()
        answer = self.node.post(f"/cep/dead-letters/{letter}/replay")
        self.assertEqual(answer.status, 202, answer)
        return answer.data["outcome"]

    def dead_letters(self, **more):
        query = urllib.parse.urlencode({"status": "open", **more})
        return self.node.get("/cep/dead-letters?" + query).data["dead_letters"]

    def slack(self, receiver, channel_id="slack", **more):
        return self.channel(channel_id, type="slack", config={"bot_token": "env:TOBIT_SECRET_SLACK", "channel": "#ops",
                                                              "api_url": receiver.url + "/api"}, **more)

    def webhook(self, receiver, channel_id="hook", **more):
        return self.channel(channel_id, type="webhook",
                            config={"url": receiver.url + "/hook", "secret": "env:TOBIT_SECRET_HMAC"}, **more)


def slack_answer(call):
    number = getattr(slack_answer, "count", 0) + 1
    slack_answer.count = number
    return 200, "application/json", json.dumps({"ok": True, "channel": "C1", "ts": f"17.{number}"}).encode()


class Definitions(ChannelCase):
    def test_a_channel_lives_through_its_whole_life(self):
        hook = self.receiver()
        made = self.webhook(hook, language="ko")
        self.assertEqual(made["config"]["secret"], "env:TOBIT_SECRET_HMAC")
        self.assertEqual(self.node.get("/cep/channels/hook").data["channel"]["language"], "ko")
        changed = self.node.request("PUT", "/cep/channels/hook", {"name": "renamed"})
        self.assertEqual(changed.data["channel"]["version"], 2)
        self.assertEqual(self.node.request("PUT", "/cep/channels/hook?expected_version=1", {"name": "late"}).status, 409)
        self.assertEqual([c["name"] for c in self.node.get("/cep/channels?type=webhook").data["channels"]], ["renamed"])
        self.assertEqual(self.node.post("/cep/channels", {"channel_id": "hook", "name": "x", "type": "webhook",
                                                          "config": {"url": hook.url}}).status, 409)
        self.assertEqual(self.node.request("DELETE", "/cep/channels/hook").status, 200)
        self.assertEqual(self.node.get("/cep/channels/hook").status, 404)

    def test_types_say_what_they_need(self):
        types = {t["type"]: t for t in self.node.get("/cep/channels/types").data["types"]}
        self.assertEqual(set(types), {"slack", "email", "sms", "webhook", "teams", "pagerduty"})
        self.assertIn("smtp_host", [f["name"] for f in types["email"]["fields"] if f["required"]])

    def test_literal_secrets_and_wrong_fields_are_refused_and_never_seen_again(self):
        for fields, pointer in [
                ({"type": "slack", "config": {"bot_token": "xoxb-literal-9", "channel": "#ops"}}, "/config/bot_token"),
                ({"type": "webhook", "config": {"url": "http://127.0.0.1:1/", "secret": "env:HOME"}}, "/config/secret"),
                ({"type": "webhook", "config": {"url": "http://10.0.0.1/"}}, "/config/url"),
                ({"type": "webhook", "config": {"url": "http://127.0.0.1:1/"}, "templates": {"text": "{{#alerts}}"}}, "/templates/text"),
                ({"type": "pager"}, "/type"), ({"type": "email", "config": {}}, "/config/smtp_host")]:
            answer = self.node.post("/cep/channels", {"name": "x", **fields})
            self.assertEqual(answer.status, 400, answer)
            self.assertEqual(answer.data.get("pointer"), pointer, answer)
        with open(self.node.log_path, encoding="utf-8") as log:
            self.assertNotIn("xoxb-literal-9", log.read())
        self.assertNotIn("xoxb-literal-9", self.node.get("/audit-log").body.decode())


    def test_a_viewer_may_look_but_not_touch(self):
        self.webhook(self.receiver())
        self.node.post("/admin/users", {"username": "vera", "password": "a-long-password-1", "role": "viewer"})
        token = self.node.request("POST", "/auth/login", {"email": "vera", "password": "a-long-password-1"}, auth=False).data["access_token"]
        as_vera = {"Authorization": "Bearer " + token}
        for path in ("/cep/channels", "/cep/channels/hook", "/cep/channels/types", "/cep/channels/status", "/cep/dead-letters"):
            self.assertEqual(self.node.get(path, headers=as_vera).status, 200, path)
        for method, path in (("POST", "/cep/channels"), ("PUT", "/cep/channels/hook"), ("DELETE", "/cep/channels/hook"),
                             ("POST", "/cep/channels/test?channel_id=hook"), ("POST", "/cep/dead-letters/x/replay"),
                             ("DELETE", "/cep/dead-letters/x")):
            body = {"name": "x", "type": "webhook", "config": {}} if method != "DELETE" else None
            if "replay" in path or "test" in path:
                body = {}
            self.assertEqual(self.node.request(method, path, body, headers=as_vera).status, 403, (method, path))

    def test_a_tenant_neither_sees_nor_reaches_the_channels_of_another(self):
        ours, theirs = self.receiver(), self.receiver()
        self.channel("ops", type="webhook", config={"url": ours.url})
        made = self.node.post("/admin/users", {"username": "bo", "password": "a-long-password-1", "role": "admin", "tenant_id": "other"})
        self.assertEqual(made.status, 201, made)
        mine = self.node.token
        other = {"Authorization": "Bearer " + self.node.login("bo", "a-long-password-1")}
        self.assertEqual(self.node.get("/cep/channels", headers=other).data["channels"], [])
        self.assertEqual(self.node.get("/cep/channels/status", headers=other).data["status"]["channels"], [])
        for method, path, body in (("GET", "/cep/channels/ops", None), ("PUT", "/cep/channels/ops", {"name": "x"}),
                                   ("DELETE", "/cep/channels/ops", None), ("POST", "/cep/channels/test?channel_id=ops", {})):
            self.assertEqual(self.node.request(method, path, body, headers=other).status, 404, path)
        # The same name in the other tenant is another channel.
        made = self.node.post("/cep/channels", {"channel_id": "ops", "name": "x", "type": "webhook", "config": {"url": theirs.url}}, headers=other)
        self.assertEqual(made.status, 201, made)
        rule = {"rule_name": "r", "trigger_type": "event", "trigger_spec": {"types": ["t"]}, "alert": True,
                "action_spec": {"type": "notify", "channels": ["ops"]}}
        for headers in ({"Authorization": "Bearer " + mine}, other):
            self.assertEqual(self.node.post("/cep/rules", rule, headers=headers).status, 201)
        self.assertEqual(self.node.post("/cep/events/ingest", {"type": "t"}, headers=other).status, 200)
        theirs.wait_for(1)
        self.assertEqual(self.node.post("/cep/events/ingest", {"type": "t"}, headers={"Authorization": "Bearer " + mine}).status, 200)
        ours.wait_for(1)
        self.assertEqual((len(ours.calls), len(theirs.calls)), (1, 1))
        self.node.token = mine

    def test_changes_are_in_the_audit_log(self):
        self.webhook(self.receiver(lambda call: 400))
        self.tell("hook", notice("a"))
        letter = wait_until(self.dead_letters)[0]["dead_letter_id"]
        self.node.post(f"/cep/dead-letters/{letter}/replay")
        self.node.request("DELETE", f"/cep/dead-letters/{letter}")
        rows = self.node.get("/audit-log").data["audit_logs"]
        done = {(row["resource_type"], row["action"]) for row in rows}
        self.assertLessEqual({("channel", "create"), ("dead_letter", "replay"), ("dead_letter", "delete")}, done)


class Tests(ChannelCase):
    """POST /cep/channels/test really sends."""

    def check(self, kind, config, **more):
        return self.node.post(f"/cep/channels/test?channel_type={kind}", {"config": config, **more})

    def test_every_http_type_speaks_its_protocol(self):
        answers = {"/api/chat.postMessage": slack_answer,
                   "/2010-04-01/Accounts/AC1/Messages.json": lambda _: (201, "application/json", b'{"sid":"SM1"}'),
                   "/v2/enqueue": lambda _: (202, "application/json", b'{"status":"success"}'), "/teams": lambda _: 202}
        server = self.receiver(lambda call: answers.get(call.path, lambda _: 200)(call))
        sent = [self.check("slack", {"bot_token": "env:TOBIT_SECRET_SLACK", "channel": "#ops", "api_url": server.url + "/api"}),
                self.check("slack", {"webhook_url": server.url + "/services/x"}),
                self.check("sms", {"account_sid": "AC1", "auth_token": "env:TOBIT_SECRET_TWILIO", "from_number": "+15550001111",
                                   "base_url": server.url}, recipients=["+821012345678"], language="ko"),
                self.check("webhook", {"url": server.url + "/hook", "secret": "env:TOBIT_SECRET_HMAC"}),
                self.check("teams", {"webhook_url": server.url + "/teams"}),
                self.check("pagerduty", {"integration_key": "env:TOBIT_SECRET_PAGER", "base_url": server.url})]
        for answer in sent:
            self.assertEqual(answer.status, 200, answer)
            self.assertTrue(answer.data["success"], answer)
        slack, _, sms, hook, teams, pager = server.wait_for(6)
        self.assertEqual(slack.headers["authorization"], "Bearer xoxb-slack-token")
        self.assertEqual(slack.json()["channel"], "#ops")
        form = urllib.parse.parse_qs(sms.body.decode())
        self.assertEqual(form["To"], ["+821012345678"])
        self.assertIn("시험", form["Body"][0])
        self.assertTrue(sms.headers["authorization"].startswith("Basic "))
        expected = hmac.new(b"hmac-key", hook.headers["x-tobit-timestamp"].encode() + b"." + hook.body, hashlib.sha256).hexdigest()
        self.assertEqual(hook.headers["x-tobit-signature"], "sha256=" + expected)
        self.assertEqual(set(hook.json()), {"title", "body", "recipients", "metadata", "timestamp"})
        self.assertEqual(teams.json()["attachments"][0]["content"]["type"], "AdaptiveCard")
        self.assertEqual(pager.json()["routing_key"], "pager-key")

    def test_every_recipient_of_text_messages_is_told_and_reported(self):
        def answer(call):
            to = urllib.parse.parse_qs(call.body.decode())["To"]
            return (201, "application/json", b'{"sid":"SM1"}') if to != ["+821000000002"] else (400, "application/json", b'{"message":"no such number"}')
        server = self.receiver(answer)
        config = {"account_sid": "AC1", "auth_token": "env:TOBIT_SECRET_TWILIO", "from_number": "+15550001111", "base_url": server.url}
        some = self.check("sms", config, recipients=["+821000000001", "+821000000002", "+821000000003"])
        self.assertEqual(some.status, 500, some)
        self.assertIn("sent to +821000000001, +821000000003. Not to +821000000002", some.json()["message"])
        self.assertEqual(len(server.wait_for(3)), 3)
        many = self.check("sms", config, recipients=[f"+8210000001{n:02}" for n in range(12)])
        self.assertEqual(many.status, 200, many)
        self.assertIn("Not tried: 2 further recipients", many.data["message"])
        self.assertEqual(len(server.wait_for(13)), 13)

    def test_failures_have_a_reason_and_the_status_of_the_contract(self):
        server = self.receiver(lambda call: (200, "application/json", b'{"ok":false,"error":"invalid_auth"}'))
        failed = self.check("slack", {"bot_token": "env:TOBIT_SECRET_SLACK", "channel": "#ops", "api_url": server.url})
        self.assertEqual(failed.status, 500, failed)
        self.assertFalse(failed.data["success"])
        self.assertIn("invalid_auth", failed.json()["message"])
        gone = self.check("pagerduty", {"integration_key": "env:TOBIT_SECRET_NOT_SET", "base_url": server.url})
        self.assertEqual(gone.status, 500, gone)
        self.assertIn("not set", gone.json()["message"])
        silent = self.receiver(lambda call: "hang")
        late = self.check("webhook", {"url": silent.url})
        self.assertEqual(late.status, 500, late)
        for path, body in [("?channel_type=slack", {}), ("?channel_type=fax", {"config": {}}), ("", {"config": {}}),
                           ("?channel_type=slack", {"config": {"bot_token": "literal"}}), ("?channel_type=slack", None)]:
            self.assertEqual(self.node.post("/cep/channels/test" + path, body).status, 400, (path, body))
        self.assertEqual(self.node.post("/cep/channels/test?channel_id=nobody", {}).status, 404)


class Mail(ChannelCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="tobit-mail.")
        cls.authority, cls.certificate, cls.key = make_certificates(cls.folder)
        os.makedirs(cls.folder + "/secrets")
        with open(cls.folder + "/secrets/mail", "w", encoding="ascii") as secret:
            secret.write("mail password\n")
        cls.env = {"TOBIT_OUTBOUND_CA_FILE": cls.authority, "TOBIT_SECRETS_FOLDERS": cls.folder + "/secrets"}

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def config(self, port, **more):
        return {"smtp_host": "127.0.0.1", "smtp_port": port, "from_email": "Tobit 알림 <tobit@example.com>", "username": "tobit",
                "password": f"file:{self.folder}/secrets/mail", "recipients": ["ops@example.com", "김운영 <kim@example.com>"], **more}

    def test_mails_go_out_over_starttls_with_a_password_and_form_a_thread(self):
        server = MailServer(self.certificate, self.key, "mail password", refuse=["gone@example.com"])
        self.addCleanup(server.close)
        recipients = ["ops@example.com", "gone@example.com", "김운영 <kim@example.com>"]
        self.channel("mail", type="email", language="ko", config=self.config(server.port, recipients=recipients))
        self.tell("mail", notice("m1", thread="t", title="디스크가 가득 찼습니다 <b>"))
        server.wait_for(1)
        self.tell("mail", notice("m2", thread="t", reason="resolved"))
        first, second = server.wait_for(2)
        self.assertTrue(first["tls"])
        self.assertEqual(first["user"], "tobit")
        self.assertEqual(first["to"], ["ops@example.com", "kim@example.com"])
        mail = first["mail"]
        self.assertEqual(mail["Subject"], "[발생] 디스크가 가득 찼습니다 <b>")
        self.assertEqual(mail["From"].addresses[0].display_name, "Tobit 알림")
        self.assertIn("심각도: 심각", mail.get_body(("plain",)).get_content())
        self.assertIn("가득 찼습니다 &lt;b&gt;", mail.get_body(("html",)).get_content())
        self.assertFalse(mail.defects)
        self.assertEqual(second["mail"]["In-Reply-To"], mail["Message-ID"])
        self.assertEqual(second["mail"]["Subject"][:4], "[해소]")
        wait_until(lambda: self.node.get("/cep/channels/status").data["status"]["sent"] == 2)

    def test_a_wrong_password_or_certificate_is_told(self):
        server = MailServer(self.certificate, self.key, "another password")
        self.addCleanup(server.close)
        refused = self.node.post("/cep/channels/test?channel_type=email", {"config": self.config(server.port)})
        self.assertEqual(refused.status, 500, refused)
        self.assertIn("password", refused.json()["message"])
        self.assertNotIn("mail password", refused.body.decode())
        other = tempfile.mkdtemp(prefix="tobit-other.")
        self.addCleanup(shutil.rmtree, other)
        _, certificate, key = make_certificates(other)
        stranger = MailServer(certificate, key, "mail password")
        self.addCleanup(stranger.close)
        wrong = self.node.post("/cep/channels/test?channel_type=email", {"config": self.config(stranger.port)})
        self.assertIn("certificate", wrong.json()["message"])
        self.assertFalse(stranger.mails)

    def test_a_server_that_dies_after_the_mail_is_not_sent_it_again(self):
        for silent in (False, True):
            server = DyingMailServer(silent)
            self.addCleanup(server.close)
            name = f"dying-{silent}"
            config = {k: v for k, v in self.config(server.port, security="none").items() if k not in ("password", "username")}
            self.channel(name, type="email", config=config)
            self.tell(name, notice(name))
            letter = wait_until(lambda: self.dead_letters(channel_id=name), 15)[0]
            self.assertIn("may have been delivered", letter["error"])
            self.assertEqual((letter["attempts"], server.taken), (1, 1))


class Deliveries(ChannelCase):
    def test_updates_of_an_alert_go_into_its_thread(self):
        server = self.receiver(slack_answer)
        self.slack(server)
        for number in range(4):
            self.tell("slack", notice(f"n{number}", thread="group"))
        calls = [call.json() for call in server.wait_for(4)]
        self.assertNotIn("thread_ts", calls[0])
        self.assertEqual(len({call["thread_ts"] for call in calls[1:]}), 1)

    def test_trouble_that_passes_is_tried_again_and_trouble_that_stays_is_not(self):
        seen = []
        def behave(call):
            seen.append(call)
            return 503 if len(seen) == 1 else 200
        busy, strict = self.receiver(behave), self.receiver(lambda call: 403)
        self.webhook(busy, "busy")
        self.webhook(strict, "strict")
        self.tell("busy", notice("b"))
        self.tell("strict", notice("s"))
        first, second = busy.wait_for(2)
        self.assertEqual(first.key, second.key)
        self.assertGreater(second.at - first.at, 0.8)
        letter = wait_until(lambda: self.dead_letters(channel_id="strict"))[0]
        self.assertEqual(letter["attempts"], 1)
        self.assertIn("403", letter["error"])
        self.assertEqual(len(strict.calls), 1)

    def test_the_fallback_is_told_and_a_circle_ends(self):
        refusing, hook = self.receiver(lambda call: 401), self.receiver()
        self.webhook(refusing, "first", fallback="second")
        self.webhook(hook, "second", fallback="first")
        self.tell("first", notice("f"))
        hook.wait_for(1)
        wait_until(lambda: self.node.get("/cep/channels/status").data["status"]["passed_on"] == 1)
        self.assertFalse(self.dead_letters())
        self.node.request("PUT", "/cep/channels/second", {"config": {"url": refusing.url}})
        self.tell("first", notice("g"))
        letter = wait_until(self.dead_letters)[0]
        self.assertEqual(letter["channel_id"], "second")
        self.assertIn("circle", letter["error"])

    def test_a_dead_letter_is_replayed_once_and_can_be_removed(self):
        answers = {"status": 404}
        server = self.receiver(lambda call: answers["status"])
        self.webhook(server)
        self.tell("hook", notice("d"))
        letter = wait_until(self.dead_letters)[0]
        whole = self.node.get(f"/cep/dead-letters/{letter['dead_letter_id']}").data["dead_letter"]
        self.assertEqual(whole["notice"]["notice_id"], "d")
        answers["status"] = 200
        path = f"/cep/dead-letters/{letter['dead_letter_id']}"
        self.assertEqual(self.node.post(path + "/replay").status, 202)
        first, second = server.wait_for(2)
        self.assertEqual(first.key, second.key)
        self.assertEqual(self.node.post(path + "/replay").status, 409)
        self.assertFalse(self.dead_letters())
        self.assertEqual(self.node.request("DELETE", path).status, 200)
        self.assertEqual(self.node.get(path).status, 404)
        self.assertEqual(self.node.request("DELETE", path).status, 404)

    def test_rate_limits_drop_and_count(self):
        server = self.receiver()
        self.webhook(server, rate_limit={"max_per_minute": 2})
        # Replays are a person's wish and are not limited; what the fallback passes on is.
        refusing = self.receiver(lambda call: 400)
        self.webhook(refusing, "source", fallback="hook")
        for number in range(5):
            self.tell("source", notice(f"r{number}"))
        def status():
            found = {c["channel_id"]: c for c in self.node.get("/cep/channels/status").data["status"]["channels"]}
            return found["hook"] if found["hook"]["total"] == 5 else None
        counted = wait_until(status)
        self.assertEqual((counted["sent"], counted["rate_limited"]), (2, 3))
        self.assertEqual(len(server.calls), 2)


class Deaths(ChannelCase):
    def test_a_node_killed_while_slack_answers_sends_nothing_twice_and_loses_nothing(self):
        hanging = {"on": True}
        server = self.receiver(lambda call: "hang" if hanging["on"] else slack_answer(call))
        self.slack(server)
        self.tell("slack", notice("k1"))
        server.wait_for(1)
        self.node.kill()
        hanging["on"] = False
        self.node.start()
        letter = wait_until(self.dead_letters, 20)[0]
        self.assertIn("may have been delivered", letter["error"])
        self.assertEqual(len(server.calls), 1)
        self.assertEqual(self.node.post(f"/cep/dead-letters/{letter['dead_letter_id']}/replay").status, 202)
        server.wait_for(2)

    def test_a_node_killed_while_a_webhook_answers_repeats_it_with_the_same_key(self):
        hanging = {"on": True}
        server = self.receiver(lambda call: "hang" if hanging["on"] else 200)
        self.webhook(server)
        self.tell("hook", notice("k2"))
        server.wait_for(1)
        self.node.kill()
        hanging["on"] = False
        self.node.start()
        first, second = server.wait_for(2, 20)
        self.assertEqual(first.key, second.key)
        wait_until(lambda: self.node.get("/cep/channels/status").data["status"]["sent"] == 1)
        self.assertFalse(self.dead_letters())

    def test_a_channel_that_accepts_and_never_answers_is_given_up_clearly(self):
        server = self.receiver(lambda call: "hang")
        self.slack(server)
        self.tell("slack", notice("h"))
        letter = wait_until(self.dead_letters, 20)[0]
        self.assertIn("may have been delivered", letter["error"])
        self.assertEqual((letter["attempts"], len(server.calls)), (1, 1))

    def test_waiting_threads_survive_a_death(self):
        state = {"hang": True}
        server = self.receiver(lambda call: "hang" if state["hang"] else slack_answer(call))
        self.slack(server, fallback="")
        self.tell("slack", notice("w1", thread="t"))
        server.wait_for(1)
        self.tell("slack", notice("w2", thread="t"))
        self.node.kill()
        state["hang"] = False
        self.node.start()
        calls = server.wait_for(2, 20)  # the first one's end is unknown; the second begins the thread
        self.assertNotIn("thread_ts", calls[1].json())
        self.assertEqual(len(wait_until(self.dead_letters, 20)), 1)


if __name__ == "__main__":
    unittest.main()
