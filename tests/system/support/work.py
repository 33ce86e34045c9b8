"""Work around a cluster, and the accounts that must agree after whatever happened to it."""
import json
import threading
import time

from support.node import event_rule, wait_until


def all_answer(node, rules):
    def answers():
        return all(node.get(f"/actors/rule/{rule['rule_id']}", timeout=5).status == 200 for rule in rules)
    wait_until(answers, 20, "every rule answers")


class Work:
    """Rules, a receiver and clients around a cluster; afterwards the accounts must agree."""

    def __init__(self, cluster, receiver):
        self.cluster, self.receiver = cluster, receiver
        first = cluster.nodes[0]
        self.rules = [first.create_rule(**event_rule(receiver.url + f"/e{i}", f"event {i}", field="k", op="==", value=i),
                                        max_firings_per_minute=1_000_000) for i in range(6)]
        self.tick = first.create_rule(rule_name="tick", trigger_type="schedule", trigger_spec={"interval_seconds": 1, "missed": "all", "overlap": "queue"},
                                      action_spec={"type": "webhook", "method": "POST", "endpoint": receiver.url + "/tick"})
        for node in cluster.nodes:
            node.login()
        self.acknowledged, self.lock = {}, threading.Lock()
        self.begun = time.time()

    def send(self, who, count):
        n = who * 1_000_000 + count + 1
        nodes = self.cluster.alive()
        node = nodes[(count + who) % len(nodes)]
        event = {"specversion": "1.0", "id": f"e{n}", "source": "/w", "type": "w", "data": {"k": n % 6, "n": n}}
        answer = node.request("POST", "/cep/events/ingest", json.dumps(event), {"Content-Type": "application/cloudevents+json"}, timeout=12)
        assert answer.status in (200, 202), answer
        with self.lock:
            self.acknowledged[n] = n % 6

    def check(self, test, seconds=40):
        """Nothing acknowledged is lost, no effect has two keys, and every second has its tick."""
        expected = len(self.acknowledged)

        def keys():
            return {call.key for call in list(self.receiver.calls) if call.path.startswith("/e")}
        wait_until(lambda: len(keys()) >= expected, seconds, f"effects of {expected} acknowledged events")
        # Requests whose answer was lost may have been taken all the same: more effects than acknowledgements are right.
        calls = [call for call in self.receiver.calls if call.path.startswith("/e")]
        print(f"{expected} events acknowledged, {len(keys())} effects, {len(calls) - len(keys())} repeated under the same key")
        rows = self.cluster.postgres.sql(self.cluster.database,
                                         "SELECT count(*), count(DISTINCT exec_id) FROM rule_execution WHERE rule_id IN ("
                                         + ",".join(f"'{rule['rule_id']}'" for rule in self.rules) + ")")
        test.assertEqual(rows[0][0], rows[0][1])

        def ticks_due():
            return len({call.key for call in list(self.receiver.calls) if call.path == "/tick"})
        wait_until(lambda: ticks_due() >= time.time() - self.begun - 4, seconds, "a tick for every second")
        ticks = sorted({call.key for call in self.receiver.calls if call.path == "/tick"})
        elapsed = time.time() - self.begun
        print(f"{len(ticks)} ticks in {elapsed:.0f} s")
        test.assertLessEqual(len(ticks), elapsed + 3)
        test.assertGreater(self.cluster.check_history(), 0)
