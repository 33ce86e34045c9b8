"""Measures a real cluster: three nodes on one PostgreSQL, killed, frozen and drained. Called by run.py."""
import http.client
import json
import signal
import statistics
import threading
import time

from support.cluster import Cluster, Load
from support.node import wait_until
from support.receiver import Receiver

RULES = 24


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def add_spread(figures, name, values, unit, target_p99=None):
    figures.add(name + ", p50", statistics.median(values), unit, None, "less")
    figures.add(name + ", p99", percentile(values, 0.99), unit, target_p99, "less")
    figures.add(name + ", longest", max(values), unit, None, "less")


class Asker:
    """Asks each of many rules again and again on one connection, and remembers when each last answered."""

    def __init__(self, node, rules):
        self.node, self.rules, self.connection = node, rules, None

    def answers(self, rule):
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(*self.node.address, timeout=10)
            self.connection.request("GET", f"/actors/rule/{rule['rule_id']}", headers={"Authorization": "Bearer " + self.node.token})
            answer = self.connection.getresponse()
            answer.read()
            return answer.status == 200
        except (OSError, http.client.HTTPException):
            self.connection = None
            return False

    def wait_for_all(self, begun, seconds=20.0):
        """Seconds from `begun` until every rule has answered once."""
        left = list(self.rules)
        while left:
            left = [rule for rule in left if not self.answers(rule)]
            if time.monotonic() - begun > seconds:
                raise AssertionError(f"{len(left)} rules do not answer")
        return time.monotonic() - begun


def tick_gaps(receiver):
    """How much later than a second after the one before each tick came, in ms."""
    times = sorted(call.at for call in list(receiver.calls) if call.path == "/tick")
    return [max(0.0, (b - a - 1.0) * 1000) for a, b in zip(times, times[1:])]


def deaths(figures, kills=30, freezes=3):
    with Cluster(3, env={"TOBIT_LOG_LEVEL": "warning"}) as cluster, Receiver() as receiver:
        first = cluster.nodes[0]
        rules = [first.create_rule(rule_name=f"r{i}", trigger_type="event", trigger_spec={"field": "x", "op": ">", "value": 1})
                 for i in range(RULES)]
        first.create_rule(rule_name="tick", trigger_type="schedule",
                          trigger_spec={"interval_seconds": 1, "missed": "all", "overlap": "queue"},
                          action_spec={"type": "webhook", "method": "POST", "endpoint": receiver.url + "/tick"})
        for node in cluster.nodes:
            node.login()
        took = {"leader": [], "owner": []}
        joins = []
        for i in range(kills):
            kind = "leader" if i % 2 == 0 else "owner"
            victim = cluster.leader() if kind == "leader" else cluster.followers()[i // 2 % 2]
            asker = Asker(next(node for node in cluster.nodes if node is not victim), rules)
            asker.wait_for_all(time.monotonic())
            begun = time.monotonic()
            victim.kill()
            took[kind].append(asker.wait_for_all(begun) * 1000)
            begun = time.monotonic()
            victim.start(30)
            cluster.settle()
            joins.append(time.monotonic() - begun)
            victim.login()
        add_spread(figures, "kill -9 of the leader until every entity answers", took["leader"], "ms", 500)
        add_spread(figures, "kill -9 of an owner until every entity answers", took["owner"], "ms", 500)
        gaps = tick_gaps(receiver)
        add_spread(figures, "ticks beside kills, behind their time", gaps, "ms", 500)
        figures.add("start of a node until it holds its share, p50", statistics.median(joins), "s", None, "less")
        figures.add("shards moved to a node that joins", 256 / 3 / statistics.median(joins), "/s")
        frozen = []
        for _ in range(freezes):
            victim = cluster.leader()
            asker = Asker(next(node for node in cluster.nodes if node is not victim), rules)
            asker.wait_for_all(time.monotonic())
            begun = time.monotonic()
            victim.process.send_signal(signal.SIGSTOP)
            try:
                frozen.append(asker.wait_for_all(begun) * 1000)
            finally:
                victim.process.send_signal(signal.SIGCONT)
            cluster.settle()
        add_spread(figures, "frozen leader until every entity answers", frozen, "ms", 4000)
        leaving = cluster.followers()[0]
        staying = [node for node in cluster.nodes if node is not leaving]
        askers = [Asker(node, rules) for node in staying]

        def ask(who, count):
            assert askers[who].answers(rules[count % RULES])
        with Load(ask, threads=2) as load:
            time.sleep(1)
            staying[0].post(f"/cluster/nodes/{leaving.name}/drain", {"reason": "bench"})
            cluster.settle(staying)
            time.sleep(0.5)
        figures.add("slowest request beside a planned drain", load.longest() * 1000, "ms", 500, "less")
        figures.add("failed requests beside a planned drain", len(load.failures), "", 0.5, "less")
        cluster.check_history()


def throughput(figures, seconds=4):
    """Events taken in and evaluated by 24 rules, at one, two and three nodes; every node gets its part of them."""
    for count in (1, 2, 3):
        with Cluster(count, env={"TOBIT_LOG_LEVEL": "warning"}) as cluster:
            for i in range(RULES):
                cluster.nodes[0].create_rule(rule_name=f"r{i}", trigger_type="event",
                                             trigger_spec={"types": ["load"], "field": "n", "op": ">=", "value": 0, "group_by": ["host"],
                                                           "window_config": {"type": "tumbling", "size_seconds": 60},
                                                           "aggregation": {"type": "sum", "field": "n", "op": ">", "threshold": 1e15}})
            for node in cluster.nodes:
                node.login()
            body = json.dumps([{"type": "load", "data": {"n": i, "host": f"h{i % 50}"}} for i in range(500)])
            sent, lock = [0], threading.Lock()

            def send(who, _):
                node = cluster.nodes[who % count]
                answer = node.request("POST", "/cep/events/ingest", body, {"Content-Type": "application/json"})
                assert answer.status in (200, 202), answer
                with lock:
                    sent[0] += 500

            begun = time.monotonic()
            with Load(send, threads=4) as load:
                time.sleep(seconds)

            def evaluated():
                end = cluster.postgres.sql(cluster.database, "SELECT max(first_offset + count) FROM event_batch")[0][0]
                mark = cluster.postgres.sql(cluster.database, "SELECT value FROM cluster_value WHERE name = 'event_log.evaluated'")
                return mark and mark[0][0] == end
            wait_until(evaluated, 60, "all events evaluated", pause=0.1)
            took = time.monotonic() - begun
            figures.add(f"events evaluated by {RULES} windowed rules, {count} node(s)", sent[0] / took, "events/s")
            if load.failures:
                print(f"  {count} nodes: {len(load.failures)} failed, {load.failures[0]}")
