#define CAF_SUITE test_run

#include "actors/rehearsal/file_test/test_run.hpp"
#include "actors/rehearsal/kinds.hpp"

#include <caf/test/dsl.hpp>

using namespace tobit;
using namespace tobit::rehearsal;

namespace {

struct fixture {
  file_result<test_outcome> run(const std::string& text) {
    auto document = read_test_text(text, "t.yaml", ".");
    if (!document) CAF_FAIL(document.error().where + ": " + document.error().message);
    return run_test(*document, document->tests.at(0), kinds.table());
  }
  void check_passes(const std::string& text) {
    const auto outcome = run(text);
    if (!outcome) CAF_FAIL(outcome.error().where + ": " + outcome.error().message);
    for (const auto& f : outcome->failures) CAF_ERROR(f.where + ": expected " + f.expected + ", but " + f.happened);
    CAF_CHECK(outcome->expectations > 0);
  }
  rehearsal_kinds kinds;
};

const std::string door = R"(
rules:
  - rule_name: door
    trigger_type: event
    trigger_spec: {types: [door.opened], field: door, op: ">", value: 5}
    action_spec: {type: store, message: "Door {{door}} is open."}
)";

const std::string hot = R"(
rules:
  - rule_name: hot
    trigger_type: event
    severity: high
    trigger_spec: {types: [climate], field: temperature, op: ">", value: 30, group_by: [room]}
    alert: {for_seconds: 60, resolve_after_seconds: 300}
)";

} // namespace

CAF_TEST_FIXTURE_SCOPE(test_run_suite, fixture)

CAF_TEST(a rule that fires is seen to fire and one that does not is not ) {
  check_passes(door + R"(
timeline:
  - at: 1s
    push: {type: door.opened, data: {door: 3}}
    expect: nothing
  - at: 2s
    push: {type: door.opened, data: {door: 7}}
    expect: {status: firing, rule: door, times: 1}
    expect_action: {type: store, contains: Door 7 is open.}
  - at: 3s
    push: {type: window.opened, data: {door: 7}}
    expect: nothing
)");
}

CAF_TEST(what was expected and what happened is told with the timeline around it) {
  const auto outcome = run(door + R"(
timeline:
  - at: 1s
    push: {type: door.opened, data: {door: 3}}
    expect: firing
)");
  CAF_REQUIRE(outcome.has_value());
  CAF_REQUIRE_EQUAL(outcome->failures.size(), 1u);
  const auto& failure = outcome->failures[0];
  CAF_CHECK_EQUAL(failure.where, "t.yaml:11:13");
  CAF_CHECK_EQUAL(failure.at, "1s");
  CAF_CHECK_EQUAL(failure.expected, "firing");
  CAF_CHECK_EQUAL(failure.happened, "nothing fired and no alert is pending or firing");
  CAF_REQUIRE(!failure.timeline.empty());
  CAF_CHECK(failure.timeline.back().find("push") != std::string::npos);
}

CAF_TEST(an alert becomes pending then firing then resolved as time goes on) {
  check_passes(hot + R"(
timeline:
  - at: 0s
    push: {type: climate, data: {room: a, temperature: 40}}
    expect: {status: pending, key: a}
  - at: 30s
    push: {type: climate, data: {room: a, temperature: 41}}
    expect: pending
  - at: 61s
    push: {type: climate, data: {room: a, temperature: 42}}
    expect: {status: firing, rule: hot, key: [a], labels: {room: a}}
  - at: 90s
    push: {type: climate, data: {room: a, temperature: 20}}
    expect: resolved
  - at: 10m
    expect: nothing
)");
}

CAF_TEST(keys are told apart) {
  const auto outcome = run(hot + R"(
timeline:
  - at: 0s
    push: [{type: climate, data: {room: a, temperature: 40}}, {type: climate, data: {room: b, temperature: 20}}]
    repeat: 3
    every: 40s
    expect: [{status: firing, key: a}, {status: firing, key: b}]
)");
  CAF_REQUIRE(outcome.has_value());
  CAF_REQUIRE_EQUAL(outcome->failures.size(), 1u);
  CAF_CHECK(outcome->failures[0].expected.find(R"(["b"])") != std::string::npos);
}

CAF_TEST(channels are told and silences keep them quiet) {
  const std::string told = hot + R"(
    action_spec: {type: notify, channels: [ops]}
channels:
  ops: {name: Operations, type: webhook, config: {url: "https://ops.example.org/hook"}}
)";
  check_passes(told + R"(
timeline:
  - at: 0s
    push: {type: climate, data: {room: a, temperature: 40}}
    expect_no_notification: true
  - at: 61s
    push: {type: climate, data: {room: a, temperature: 41}}
  - at: 65s
    expect: {status: firing, key: a}
    expect_notification: {channel: ops, reason: firing, severity: high, contains: hot, times: 1}
  - at: 70s
    ack: hot
  - at: 90s
    push: {type: climate, data: {room: a, temperature: 20}}
  - at: 10m
    expect: resolved
    expect_notification: {channel: ops, reason: resolved}
)");
  check_passes(told + R"(
timeline:
  - at: 0s
    silence: {matchers: ['room="a"'], for: 1h}
  - at: 1s
    push: [{type: climate, data: {room: a, temperature: 40}}, {type: climate, data: {room: b, temperature: 40}}]
    repeat: 3
    every: 40s
  - at: 90s
    expect: {status: firing, times: 2}
    expect_notification: {channel: ops, contains: b, times: 1}
)");
}

CAF_TEST(metrics ticks and triggers reach their rules) {
  check_passes(R"(
rules:
  - rule_name: cpu
    trigger_type: metric
    trigger_spec: {source: host, value_path: cpu.percent, op: ">", threshold: 85, fire: on_change}
    action_spec: {type: store}
  - rule_name: beat
    trigger_type: schedule
    trigger_spec: {interval_seconds: 60}
    action_spec: {type: webhook, endpoint: "http://127.0.0.1:9/hook"}
timeline:
  - at: 10s
    metric: {rule: cpu, payload: {cpu: {percent: 90}}}
    expect: {status: firing, rule: cpu}
  - at: 20s
    metric: {rule: cpu, payload: {cpu: {percent: 95}}}
    expect: nothing
  - at: 1m
    tick: beat
    expect: {status: firing, rule: beat}
    expect_action: webhook
)");
}

CAF_TEST(a definition that its kind refuses is told with its place) {
  const auto outcome = run(R"(
rules:
  - rule_name: door
    trigger_type: event
    trigger_spec:
      field: door
      op: "=>"
      value: 5
timeline:
  - expect: firing
)");
  CAF_REQUIRE(!outcome.has_value());
  CAF_CHECK_EQUAL(outcome.error().where, "t.yaml:7:11");
}

CAF_TEST(rules that nobody can tell apart are asked about) {
  const auto outcome = run(door + R"(
  - {rule_name: other, trigger_type: event, trigger_spec: {field: a, op: "==", value: 1}}
timeline:
  - trigger: {payload: {}}
    expect: nothing
)");
  CAF_REQUIRE(!outcome.has_value());
  CAF_CHECK(outcome.error().message.find("several rules") != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
