"""Who may do what."""
import time
import unittest

from support.node import Node, PASSWORD, event_rule


class Identity(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node()

    @classmethod
    def tearDownClass(cls):
        cls.node.close()

    def test_nothing_is_open_that_should_not_be(self):
        import json
        document = json.loads(self.node.get("/openapi.json", auth=False).body)
        public = {"/healthz", "/health", "/health/live", "/health/ready", "/hello", "/openapi.json", "/docs", "/auth/login",
                  "/auth/refresh", "/metrics", "/version", "/", "/docs/style.css"}
        for path, methods in document["paths"].items():
            if path in public:
                continue
            for method in methods:
                if method in ("get", "post", "put", "delete", "patch"):
                    answer = self.node.request(method.upper(), path.replace("{", "").replace("}", ""), {} if method != "get" else None, auth=False)
                    self.assertEqual(answer.status, 401, (method, path, answer))

    def test_wrong_passwords_are_refused_and_slowed_down(self):
        for _ in range(3):
            answer = self.node.request("POST", "/auth/login", {"email": "admin2", "password": "wrong"}, auth=False)
            self.assertEqual(answer.status, 401)
        statuses = [self.node.request("POST", "/auth/login", {"email": "admin2", "password": "wrong"}, auth=False) for _ in range(20)]
        limited = [a for a in statuses if a.status == 429]
        self.assertTrue(limited, "guessing is not slowed down")
        self.assertGreater(int(limited[0].headers["retry-after"]), 0)

    def test_refresh_tokens_rotate_and_a_stolen_one_ends_the_family(self):
        first = self.node.request("POST", "/auth/login", {"email": "admin", "password": PASSWORD}, auth=False).data
        second = self.node.request("POST", "/auth/refresh", {"refresh_token": first["refresh_token"]}, auth=False)
        self.assertEqual(second.status, 200, second)
        stolen = self.node.request("POST", "/auth/refresh", {"refresh_token": first["refresh_token"]}, auth=False)
        self.assertEqual(stolen.status, 401)
        after = self.node.request("POST", "/auth/refresh", {"refresh_token": second.data["refresh_token"]}, auth=False)
        self.assertEqual(after.status, 401, "the family lives on after a reuse")

    def test_a_viewer_may_look_but_not_touch(self):
        created = self.node.post("/admin/users", {"username": "vera", "password": "a-long-password-1", "role": "viewer"})
        self.assertIn(created.status, (200, 201), created)
        token = self.node.request("POST", "/auth/login", {"email": "vera", "password": "a-long-password-1"}, auth=False).data["access_token"]
        as_vera = {"Authorization": "Bearer " + token}
        self.assertEqual(self.node.get("/cep/rules", headers=as_vera).status, 200)
        refused = self.node.post("/cep/rules", event_rule("http://127.0.0.1:9/", "no"), headers=as_vera)
        self.assertEqual((refused.status, refused.error), (403, "AUTHORIZATION_ERROR"))
        self.assertEqual(self.node.post("/actors/rule/x/restart", {}, headers=as_vera).status, 403)
        self.assertEqual(self.node.get("/audit-log", headers=as_vera).status, 403)

    def test_an_api_key_is_shown_once_and_ends_when_revoked(self):
        made = self.node.post("/api-keys", {"name": "ci", "scope": ["cep:read"]})
        self.assertEqual(made.status, 201, made)
        key, key_id = made.data["key"], made.data["api_key"]["id"]
        self.assertRegex(key, r"^sk_[0-9a-f]{32}$")
        self.assertNotIn(key.encode(), self.node.get("/api-keys").body)
        with_key = {"Authorization": "Bearer " + key}
        self.assertEqual(self.node.get("/cep/rules", headers=with_key).status, 200)
        self.assertEqual(self.node.post("/cep/rules", event_rule("http://127.0.0.1:9/", "no"), headers=with_key).status, 403)
        self.assertIn(self.node.request("DELETE", f"/api-keys/{key_id}").status, (200, 204))
        end = time.monotonic() + 10
        while self.node.get("/cep/rules", headers=with_key).status != 401:
            self.assertLess(time.monotonic(), end, "a revoked key still works")
            time.sleep(0.1)

    def test_forged_tokens_are_refused(self):
        good = self.node.login()
        head, body, signature = good.split(".")
        import base64
        none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
        for token in (f"{none}.{body}.", f"{none}.{body}.{signature}", f"{head}.{body}.{signature[:-2]}AA", f"{head}.{body}", "x", ""):
            self.assertEqual(self.node.get("/cep/rules", headers={"Authorization": "Bearer " + token}).status, 401, token)

    def test_security_headers_and_trace_headers_are_on_every_answer(self):
        for answer in (self.node.get("/healthz", auth=False), self.node.get("/nowhere"), self.node.get("/cep/rules")):
            for name in ("x-content-type-options", "x-frame-options", "content-security-policy", "referrer-policy", "x-request-id", "x-trace-id"):
                self.assertIn(name, answer.headers, answer)


if __name__ == "__main__":
    unittest.main()
