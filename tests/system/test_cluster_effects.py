"""Effects on the outside world while their owner dies: the receiver counts by idempotency key."""
import collections
import json
import os
import random
import time
import unittest

from support.cluster import Cluster
from support.node import event_rule, wait_until
from support.receiver import Receiver

KILLS = 4


class ClusterEffects(unittest.TestCase):
    def test_one_key_for_each_decision_when_the_owner_dies_in_the_middle(self):
        seed = int(os.environ.get("TOBIT_TEST_SEED", random.randrange(1 << 30)))
        print(f"seed {seed} (set TOBIT_TEST_SEED to repeat)")
        chance = random.Random(seed)

        def slow(call):
            time.sleep(0.25)  # so that calls are under way when their sender dies
            return 200
        with Cluster(3) as cluster, Receiver(behave=slow) as receiver:
            rules = [cluster.nodes[i].create_rule(**event_rule(f"{receiver.url}/r{i}", f"r{i}", field="k", op="==", value=i),
                                                  max_firings_per_minute=1_000_000) for i in range(3)]
            for node in cluster.nodes:
                node.login()
            acknowledged, last, answered_again = {}, 0, []
            for kill in range(KILLS):
                victim = cluster[cluster.owner_of("rule", rules[kill % 3]["rule_id"])]
                others = [node for node in cluster.nodes if node is not victim]
                seen = len(receiver.calls)
                for i in range(12):
                    last += 1
                    event = {"specversion": "1.0", "id": f"e{last}", "source": "/effects", "type": "e", "data": {"k": last % 3, "n": last}}
                    answer = others[i % 2].request("POST", "/cep/events/ingest", json.dumps(event),
                                                   {"Content-Type": "application/cloudevents+json"})
                    self.assertIn(answer.status, (200, 202), answer)
                    acknowledged[last] = last % 3
                wait_until(lambda: len(receiver.calls) > seen, 10, "a call under way")
                time.sleep(chance.uniform(0.0, 0.3))
                victim.kill()
                begun = time.monotonic()
                wait_until(lambda: others[0].get(f"/actors/rule/{rules[kill % 3]['rule_id']}", timeout=5).status == 200, 20, "the rule answers")
                answered_again.append(time.monotonic() - begun)
                victim.start(60)
                victim.login()
                cluster.settle()

            def arrived():
                return {call.json()["event"]["data"]["n"] for call in list(receiver.calls)}
            wait_until(lambda: set(acknowledged) <= arrived(), 60, "a call for each acknowledged event")
            time.sleep(1)  # a second call under another key would come now
            keys, repeated = collections.defaultdict(set), 0
            for call in list(receiver.calls):
                n = call.json()["event"]["data"]["n"]
                repeated += call.key in keys[n]
                keys[n].add(call.key)
                self.assertEqual(call.path, f"/r{acknowledged[n]}")
            self.assertEqual({n: found for n, found in keys.items() if len(found) != 1}, {}, "two decisions about one event")
            self.assertEqual(len({key for found in keys.values() for key in found}), len(keys), "a key for each decision")
            recorded = cluster.postgres.sql(cluster.database, "SELECT count(*), count(DISTINCT exec_id) FROM rule_execution WHERE rule_id IN ("
                                            + ",".join(f"'{rule['rule_id']}'" for rule in rules) + ")")
            self.assertEqual(recorded[0][0], recorded[0][1])
            print(f"{KILLS} owners killed with calls under way: {len(acknowledged)} decisions, {len(receiver.calls)} calls, {repeated} of them"
                  f" repeated under their key; the owner's rules answer after {', '.join(f'{1000 * t:.0f}' for t in answered_again)} ms")
            self.assertGreater(cluster.check_history(), 0)


if __name__ == "__main__":
    unittest.main()
