"""Event intake over HTTP: every mode of CloudEvents, duplicates, rejections."""
import gzip
import json
import unittest

from support.node import Node, event_rule, wait_until
from support.receiver import Receiver


class Events(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node, cls.receiver = Node(), Receiver()
        cls.node.create_rule(**event_rule(cls.receiver.url + "/all", "all", field="n", op=">=", value=0))

    @classmethod
    def tearDownClass(cls):
        cls.node.close()
        cls.receiver.close()

    def ingest(self, body, kind="application/json", **headers):
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        return self.node.post("/cep/events/ingest", body,
                              headers={"Content-Type": kind, **{k.replace("_", "-"): v for k, v in headers.items()}})

    def test_every_mode_is_taken(self):
        event = {"specversion": "1.0", "id": "m1", "source": "/modes", "type": "t", "data": {"n": 1}}
        self.assertEqual(self.ingest(event, "application/cloudevents+json").data["accepted"], 1)
        batch = [dict(event, id="m2"), dict(event, id="m3")]
        self.assertEqual(self.ingest(batch, "application/cloudevents-batch+json").data["accepted"], 2)
        lines = "\n".join(json.dumps(dict(event, id=f"m{i}")) for i in range(4, 7))
        self.assertEqual(self.ingest(lines, "application/x-ndjson").data["accepted"], 3)
        binary = self.ingest({"n": 1}, "application/json", ce_specversion="1.0", ce_id="m7", ce_source="/modes", ce_type="t")
        self.assertEqual(binary.data["accepted"], 1, binary)
        self.assertEqual(self.ingest({"type": "t", "data": {"n": 1}}).data["accepted"], 1)
        self.assertEqual(self.ingest([{"type": "t", "data": {"n": 1}}, {"type": "t", "data": {"n": 2}}]).data["accepted"], 2)
        compressed = gzip.compress(json.dumps(dict(event, id="m8")).encode())
        self.assertEqual(self.ingest(compressed, "application/cloudevents+json", Content_Encoding="gzip").data["accepted"], 1)

    def test_a_repeated_event_is_acknowledged_and_counted_once(self):
        event = {"specversion": "1.0", "id": "dup", "source": "/dup", "type": "dup", "data": {"n": 7001}}
        kind = "application/cloudevents+json"
        self.assertEqual(self.ingest(event, kind).data["accepted"], 1)
        again = self.ingest(event, kind)
        self.assertIn(again.status, (200, 202))
        self.assertEqual((again.data["accepted"], again.data["duplicate"]), (0, 1))
        self.node.kill()
        self.node.start()
        after = self.ingest(event, kind)
        self.assertEqual((after.data["accepted"], after.data["duplicate"]), (0, 1), "forgotten by a crash")
        self.assertEqual(self.ingest(dict(event, source="/other", data={"n": -1}), kind).data["accepted"], 1)
        wait_until(lambda: [c for c in self.receiver.calls if c.json()["event"]["data"]["n"] == 7001])
        self.assertEqual(len({c.key for c in self.receiver.calls if c.json()["event"]["data"]["n"] == 7001}), 1)

    def test_bad_events_are_named_and_good_ones_of_the_same_request_are_kept(self):
        lines = ['{"type":"t","data":{"n":-1}}', '{"type":', '{"data":1}', '{"type":5}', '[]', '{"type":"t","data":{"n":-2}}']
        answer = self.ingest("\n".join(lines), "application/x-ndjson")
        self.assertEqual(answer.data["accepted"], 2, answer)
        self.assertEqual([r["index"] for r in answer.data["rejections"]], [1, 2, 3, 4])
        for rejected in answer.data["rejections"]:
            self.assertTrue(rejected["reason"], rejected)

    def test_a_body_without_one_usable_event_is_refused(self):
        for body in ("", "nonsense", "42", '"text"', "[", "null"):
            answer = self.ingest(body)
            self.assertEqual(answer.status, 400, (body, answer))
            self.assertIn(answer.error, ("MALFORMED_JSON", "VALIDATION_ERROR"))

    def test_a_hundred_thousand_events_are_all_evaluated(self):
        # A rule that never matches still has to see every event: the lag returns to zero.
        for _ in range(20):
            lines = "\n".join('{"type":"bulk","data":{"n":-5}}' for _ in range(5000))
            self.assertEqual(self.ingest(lines, "application/x-ndjson").data["accepted"], 5000)

        def lag():
            lines = self.node.get("/metrics").body.decode().splitlines()
            return [float(line.split()[-1]) for line in lines if line.startswith("tobit_event_lag")] == [0.0]
        wait_until(lag, 60, "an event lag of zero", pause=0.2)


if __name__ == "__main__":
    unittest.main()
