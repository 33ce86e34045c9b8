"""Starts and ends real Tobit nodes."""
import http.client
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = os.environ.get("TOBIT_PROGRAM", str(ROOT / "build" / "dev" / "tobit"))
PASSWORD = "a-password-for-tests-1"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    @property
    def data(self):
        return self.json()["data"]

    @property
    def error(self):
        return (self.json().get("data") or {}).get("error")

    def __repr__(self):
        return f"<{self.status} {self.body[:400]!r}>"


def wait_until(condition, seconds=10.0, what="the condition", pause=0.02):
    """Waits for something that the outside world does; fails loudly with what it waited for."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come true within {seconds} s (last value: {value!r})")
        time.sleep(pause)


class Node:
    """One node in its own folder. `close()` ends it and removes the folder."""

    def __init__(self, env=None, args=(), data_dir=None, start=True, examples=False):
        self.data_dir = data_dir or tempfile.mkdtemp(prefix="tobit-system.")
        self.own_folder = data_dir is None
        self.extra_env, self.args, self.examples = dict(env or {}), list(args), examples
        self.process, self.address, self.token = None, None, None
        self.prefix = []  # what runs the program: another network, another clock
        self.log_path = os.path.join(self.data_dir, "stderr.log")
        if start:
            self.start()

    def environment(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith("TOBIT_")}
        env.update({"TOBIT_DATA_DIR": self.data_dir, "TOBIT_HTTP_ADDRESS": "127.0.0.1:0", "TOBIT_ADMIN_PASSWORD": PASSWORD,
                    "TOBIT_OUTBOUND_ALLOW": "127.0.0.1", "TOBIT_LOG_LEVEL": "info"})
        env.update(self.extra_env)
        return env

    def start(self, seconds=30.0):
        arguments = [*self.prefix, PROGRAM, "serve", "--load-examples", "true" if self.examples else "false", *self.args]
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen(arguments, env=self.environment(), stdout=subprocess.PIPE, stderr=self.log)
        self.log.close()
        line, end = b"", time.monotonic() + seconds
        while b"ready " not in line:
            left = end - time.monotonic()
            readable, _, _ = select.select([self.process.stdout], [], [], max(0.0, left))
            chunk = self.process.stdout.readline() if readable else b""
            if not chunk:
                code = self.process.poll()
                raise AssertionError(f"the node did not get ready (exit code {code}); its log:\n{self.tail()}")
            line = chunk
        self.url = line.decode().split("ready ", 1)[1].strip()
        parts = urllib.parse.urlsplit(self.url)
        self.address = (parts.hostname, parts.port)
        return self

    def tail(self, count=40):
        with open(self.log_path, "rb") as log:
            return b"\n".join(log.read().splitlines()[-count:]).decode(errors="replace")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        self.process.stdout.close()

    def stop(self, seconds=10.0):
        """SIGTERM; returns (exit code, seconds it took)."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        self.process.stdout.close()
        return code, time.monotonic() - begun

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def close(self):
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        if self.process and self.process.stdout:
            self.process.stdout.close()
        if self.own_folder:
            shutil.rmtree(self.data_dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            print(f"--- log of the node ---\n{self.tail()}")
        self.close()

    # -- HTTP -------------------------------------------------------------------------------------------------------
    def request(self, method, path, body=None, headers=None, timeout=30, auth=True):
        connection = http.client.HTTPConnection(*self.address, timeout=timeout)
        headers = dict(headers or {})
        if auth and "Authorization" not in headers:
            headers["Authorization"] = "Bearer " + (self.token or self.login())
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body, headers)
            raw = connection.getresponse()
            return Answer(raw.status, {k.lower(): v for k, v in raw.getheaders()}, raw.read())
        finally:
            connection.close()

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.request("POST", path, body, **more)

    def login(self, user="admin", password=PASSWORD):
        answer = self.request("POST", "/auth/login", {"email": user, "password": password}, auth=False)
        assert answer.status == 200, answer
        self.token = answer.data["access_token"]
        return self.token

    def raw(self, payload, seconds=5.0, half_close=False):
        """Sends bytes as they are and returns what comes back until the peer closes or the time is over."""
        with socket.create_connection(self.address, timeout=seconds) as connection:
            try:
                connection.sendall(payload)
                if half_close:
                    connection.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass
            received, end = b"", time.monotonic() + seconds
            while time.monotonic() < end:
                connection.settimeout(max(0.01, end - time.monotonic()))
                try:
                    chunk = connection.recv(65536)
                except (socket.timeout, ConnectionResetError):
                    break
                if not chunk:
                    break
                received += chunk
            return received

    # -- what most tests need ---------------------------------------------------------------------------------------
    def create_rule(self, **fields):
        answer = self.post("/cep/rules", fields)
        assert answer.status in (200, 201), answer
        return answer.data["rule"]

    def send_events(self, events):
        answer = self.post("/cep/events/ingest", events)
        assert answer.status in (200, 202), answer
        return answer.data


def event_rule(endpoint, name="rule", field="value", op=">", value=10, **more):
    """A rule that calls `endpoint` for each event whose `field` compares."""
    rule = {"rule_name": name, "trigger_type": "event", "trigger_spec": {"field": field, "op": op, "value": value},
            "action_spec": {"type": "webhook", "endpoint": endpoint, "method": "POST"}}
    rule.update(more)
    return rule
