"""Where figures and alerts come from: Prometheus, pages of metrics, probes, Alertmanager, Grafana."""
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

from support.node import Node, wait_until

ALERT = {"status": "firing", "labels": {"alertname": "HighLatency", "instance": "db:9100", "severity": "critical"},
         "annotations": {"summary": "slow"}, "startsAt": "2026-11-20T08:30:00.123456789Z", "endsAt": "0001-01-01T00:00:00Z",
         "generatorURL": "http://prom:9090/graph", "fingerprint": "1a30ba71cca2921f"}
GROUP = {"receiver": "tobit", "status": "firing", "alerts": [ALERT], "groupLabels": {}, "commonLabels": {},
         "commonAnnotations": {}, "externalURL": "http://alertmanager:9093", "version": "4", "groupKey": "{}",
         "truncatedAlerts": 0}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Pages:
    """Answers what the test says, by path; counts what was asked."""

    def __init__(self):
        self.answers, self.asked = {}, []
        pages = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                pages.asked.append(self.path)
                status, kind, body = pages.answers.get(self.path.split("?")[0], (404, "text/plain", "nothing here"))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def metric(name, **spec):
    spec = {"op": ">", "threshold": 0, "poll_interval_seconds": 1, **spec}
    return {"rule_name": name, "trigger_type": "metric", "trigger_spec": spec, "action_spec": {"type": "store", "message": name}}


class Sources(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node({"TOBIT_CEP_METRIC_POLL_GLOBAL_INTERVAL_SECONDS": "1s"})
        cls.pages = Pages()

    @classmethod
    def tearDownClass(cls):
        cls.node.close()
        cls.pages.close()

    def stored(self, rule):
        return self.node.get(f"/cep/events?rule_id={rule['rule_id']}").data["events"]

    def logs(self, rule):
        return self.node.get(f"/cep/rules/{rule['rule_id']}/exec-logs").data["logs"]

    def fired(self, rule):
        return wait_until(lambda: self.stored(rule), 20, rule["rule_name"])

    def failed(self, rule, words):
        return wait_until(lambda: [x for x in self.logs(rule) if words in (x["error_message"] or "")], 20, words)

    def answer(self, path, body, status=200, kind="application/json"):
        self.pages.answers[path] = (status, kind, body if isinstance(body, str) else json.dumps(body))

    def test_a_page_of_metrics_is_read_by_a_selector(self):
        self.answer("/page", '# TYPE x counter\nx_total{code="200"} 5\nx_total{code="500"} 7\nx_total{code="503"} 1\n',
                    kind="text/plain; version=0.0.4")
        rule = self.node.create_rule(**metric("page", endpoint=self.pages.url + "/page", format="prometheus",
                                              selector='x_total{code=~"5.."}', reduce="sum", threshold=7.5))
        self.assertEqual(len(self.fired(rule)[:1]), 1)
        several = self.node.create_rule(**metric("several", endpoint=self.pages.url + "/page", format="prometheus",
                                                 selector="x_total"))
        self.failed(several, "There are 3 series")
        self.answer("/html", "<html>")
        html = self.node.create_rule(**metric("html", endpoint=self.pages.url + "/html", format="prometheus", selector="x"))
        self.failed(html, "Line 1 is not")

    def test_the_node_watches_its_own_metrics(self):
        rule = self.node.create_rule(**metric("own", endpoint="/metrics", format="prometheus",
                                              selector='tobit_http_requests_total{method="POST"}', reduce="sum"))
        self.fired(rule)

    def test_a_query_that_fails_says_why(self):
        self.answer("/bad/api/v1/query", {"status": "error", "errorType": "bad_data", "error": "parse error at char 4"}, 400)
        bad = self.node.create_rule(**metric("bad", source="prometheus", endpoint=self.pages.url + "/bad", query="up{"))
        self.failed(bad, "parse error at char 4")
        self.answer("/range/api/v1/query", {"status": "success", "data": {"resultType": "matrix", "result": []}})
        matrix = self.node.create_rule(**metric("matrix", source="prometheus", endpoint=self.pages.url + "/range", query="up[5m]"))
        self.failed(matrix, "gives a matrix")
        gone = self.node.create_rule(**metric("gone", source="prometheus", endpoint=self.pages.url + "/none", query="up"))
        self.failed(gone, "not Prometheus's query API")

    def test_each_series_is_judged_by_itself(self):
        def series(instance, value):
            return {"metric": {"__name__": "up", "instance": instance}, "value": [1700000000, value]}
        self.answer("/up/api/v1/query", {"status": "success", "data": {"resultType": "vector", "result": [
            series("a", "1"), series("b", "0"), series("c", "NaN")]}})
        spec = metric("up", source="prometheus", endpoint=self.pages.url + "/up", query="up", op="==", threshold=0,
                      group_by=["instance"])
        spec["action_spec"]["message"] = "{{instance}} is down"
        events = self.fired(self.node.create_rule(**spec))
        self.assertEqual({e["summary"] for e in events}, {"b is down"})

    def test_a_probe_sees_what_is_up_slow_or_gone(self):
        self.answer("/up", "fine", kind="text/plain")
        self.answer("/broken", "no", 503, "text/plain")
        up = self.node.create_rule(**metric("up", source="probe", endpoint=self.pages.url + "/up", value_path="up", op="==", threshold=1))
        self.fired(up)
        down = self.node.create_rule(**metric("down", source="probe", endpoint=self.pages.url + "/broken", value_path="up", op="==", threshold=0))
        self.fired(down)
        refused = self.node.create_rule(**metric("refused", source="probe", endpoint=f"http://127.0.0.1:{free_port()}/", value_path="status", op="==", threshold=0))
        self.fired(refused)

    def test_alerts_of_alertmanager_and_grafana_are_events_once(self):
        rule = self.node.create_rule(rule_name="alerts", trigger_type="event", action_spec={"type": "store", "message": "{{labels.alertname}} {{labels.instance}}"},
                                     trigger_spec={"types": ["*.alert.firing"], "field": "labels.severity", "op": "==", "value": "critical"})
        first = self.node.post("/cep/events/ingest/alertmanager", GROUP)
        self.assertEqual((first.status, first.data["accepted"]), (200, 1), first)
        self.assertEqual(self.node.post("/cep/events/ingest/alertmanager", GROUP).data["duplicate"], 1)
        grafana = dict(GROUP, version="1", orgId=1, externalURL="http://grafana:3000/",
                       alerts=[dict(ALERT, values={"B": 44.2, "C": 1}, dashboardURL="http://grafana:3000/d/1", panelURL="")])
        self.assertEqual(self.node.post("/cep/events/ingest/grafana", grafana).data["accepted"], 1)
        wait_until(lambda: len(self.stored(rule)) == 2, 10, "both alerts")
        self.assertEqual(self.stored(rule)[0]["summary"], "HighLatency db:9100")
        mixed = dict(GROUP, alerts=[dict(ALERT, fingerprint="other"), dict(ALERT, startsAt="never")])
        partly = self.node.post("/cep/events/ingest/alertmanager", mixed)
        self.assertEqual((partly.data["accepted"], partly.data["rejected"]), (1, 1))
        self.assertEqual(partly.data["rejections"][0]["pointer"], "/alerts/1/startsAt")
        for body in ({}, [], {"version": "4"}, dict(GROUP, version="3"), dict(GROUP, alerts="x"), dict(GROUP, alerts=[7])):
            self.assertEqual(self.node.post("/cep/events/ingest/alertmanager", body).status, 400, body)

    def test_an_api_key_is_enough_in_every_way_that_senders_know(self):
        made = self.node.post("/api-keys", {"name": "alertmanager", "scope": ["cep:execute"]})
        key = made.data["key"]
        import base64
        basic = base64.b64encode(f"alertmanager:{key}".encode()).decode()
        for header in ({"Authorization": "Bearer " + key}, {"X-API-Key": key, "Authorization": ""}, {"Authorization": "Basic " + basic}):
            header = {k: v for k, v in header.items() if v}
            answer = self.node.request("POST", "/cep/events/ingest/alertmanager", GROUP, auth=False, headers=header)
            self.assertEqual(answer.status, 200, (header, answer))


def program(name):
    return os.environ.get("TOBIT_" + name.upper().replace("-", "_")) or shutil.which(name)


class RealPrometheus(unittest.TestCase):
    """A Prometheus that scrapes the node and is asked by the node's rules; an Alertmanager that notifies the node."""

    def run_program(self, *arguments):
        process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        self.addCleanup(process.wait, 20)
        self.addCleanup(process.send_signal, signal.SIGTERM)
        return process

    def ready(self, url):
        def answers():
            try:
                return urllib.request.urlopen(url, timeout=2).status == 200
            except OSError:
                return False
        wait_until(answers, 60, url, pause=0.2)

    @unittest.skipUnless(program("prometheus"), "Prometheus is not installed (Debian package prometheus)")
    def test_a_rule_asks_a_server_that_scrapes_the_node(self):
        folder = tempfile.mkdtemp(prefix="tobit-prometheus.")
        self.addCleanup(shutil.rmtree, folder, True)
        node = Node({"TOBIT_CEP_METRIC_POLL_GLOBAL_INTERVAL_SECONDS": "1s"})
        self.addCleanup(node.close)
        port = free_port()
        with open(folder + "/prometheus.yml", "w") as out:
            out.write(f"""global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: tobit
    static_configs: [{{targets: ["{node.address[0]}:{node.address[1]}"]}}]
""")
        self.run_program(program("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                         f"--web.listen-address=127.0.0.1:{port}", "--log.level=error")
        self.ready(f"http://127.0.0.1:{port}/-/ready")
        server = f"http://127.0.0.1:{port}"
        grouped = metric("scraped", source="prometheus", endpoint=server, query='up{job="tobit"}', op="==", threshold=1, group_by=["job", "instance"])
        grouped["action_spec"]["message"] = "{{job}} at {{instance}}"
        rules = [node.create_rule(**grouped),
                 node.create_rule(**metric("rate", source="prometheus", endpoint=server, query="sum(rate(tobit_http_requests_total[30s]))")),
                 node.create_rule(**metric("scalar", source="prometheus", endpoint=server, query="time()", method="POST"))]
        for rule in rules:
            wait_until(lambda: node.get(f"/cep/events?rule_id={rule['rule_id']}").data["events"], 60, rule["rule_name"])
        summary = node.get(f"/cep/events?rule_id={rules[0]['rule_id']}").data["events"][0]["summary"]
        self.assertEqual(summary, f"tobit at {node.address[0]}:{node.address[1]}")
        broken = node.create_rule(**metric("broken", source="prometheus", endpoint=server, query="sum(up"))
        wait_until(lambda: [x for x in node.get(f"/cep/rules/{broken['rule_id']}/exec-logs").data["logs"] if "parse error" in (x["error_message"] or "")], 30, "the parse error")

    @unittest.skipUnless(program("prometheus-alertmanager"), "Alertmanager is not installed (Debian package prometheus-alertmanager)")
    def test_an_alertmanager_notifies_the_node(self):
        folder = tempfile.mkdtemp(prefix="tobit-alertmanager.")
        self.addCleanup(shutil.rmtree, folder, True)
        node = Node()
        self.addCleanup(node.close)
        key = node.post("/api-keys", {"name": "alertmanager", "scope": ["cep:execute"]}).data["key"]
        rule = node.create_rule(rule_name="alerts", trigger_type="event", action_spec={"type": "store", "message": "{{labels.alertname}}: {{annotations.summary}}"},
                                trigger_spec={"types": ["alertmanager.alert.*"]})
        port = free_port()
        with open(folder + "/alertmanager.yml", "w") as out:
            out.write(f"""route: {{receiver: tobit, group_wait: 1s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: tobit
    webhook_configs:
      - url: http://{node.address[0]}:{node.address[1]}/cep/events/ingest/alertmanager
        http_config: {{authorization: {{type: Bearer, credentials: {key}}}}}
""")
        self.run_program(program("prometheus-alertmanager"), f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/data",
                         f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=error")
        self.ready(f"http://127.0.0.1:{port}/-/ready")

        def alert(**more):
            body = json.dumps([{"labels": {"alertname": "DiskFull", "instance": "db"}, "annotations": {"summary": "91 %"}, **more}])
            request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v2/alerts", body.encode(), {"Content-Type": "application/json"})
            self.assertEqual(urllib.request.urlopen(request, timeout=5).status, 200)

        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        alert(startsAt=now)
        events = wait_until(lambda: node.get(f"/cep/events?rule_id={rule['rule_id']}").data["events"], 30, "the firing alert")
        self.assertEqual(events[0]["summary"], "DiskFull: 91 %")
        alert(startsAt=now, endsAt=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1)))
        wait_until(lambda: len(node.get(f"/cep/events?rule_id={rule['rule_id']}").data["events"]) == 2, 30, "the resolved alert")


if __name__ == "__main__":
    unittest.main()
