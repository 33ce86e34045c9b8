#define CAF_SUITE test_document

#include "actors/rehearsal/file_test/test_document.hpp"

#include <caf/test/dsl.hpp>

using namespace tobit;
using namespace tobit::rehearsal;

namespace {

file_result<test_document> read(const std::string& text) { return read_test_text(text, "t.yaml", "."); }

std::string flaw_of(const std::string& text) {
  const auto read_it = read(text);
  return read_it ? "" : read_it.error().where + ": " + read_it.error().message;
}

bool starts(const std::string& text, const std::string& with) { return text.rfind(with, 0) == 0; }

const std::string rule = "rules:\n  - {rule_name: a, trigger_type: event, trigger_spec: {}}\n";

} // namespace

CAF_TEST(a timeline is read with its times and expectations) {
  const auto found = read(rule + R"(
timeline:
  - at: 10s
    push: {type: a, data: {v: 1}}
    repeat: 3
    every: 500ms
    expect: firing
  - after: 1m
    expect: {status: resolved, rule: a, key: db-1, times: 2, contains: hot}
    expect_notification: [{channel: ops, contains: [x, y]}, {reason: resolved}]
    expect_no_notification: mail
)");
  CAF_REQUIRE(found.has_value());
  CAF_REQUIRE_EQUAL(found->tests.size(), 1u);
  const auto& steps = found->tests[0].timeline;
  CAF_REQUIRE_EQUAL(steps.size(), 2u);
  CAF_CHECK(steps[0].at == std::chrono::seconds{10});
  CAF_CHECK_EQUAL(steps[0].repeat, 3);
  CAF_CHECK(steps[0].every == std::chrono::milliseconds{500});
  CAF_CHECK(!steps[1].at.has_value());
  CAF_CHECK(steps[1].after == std::chrono::minutes{1});
  CAF_REQUIRE_EQUAL(steps[1].statuses.size(), 1u);
  CAF_CHECK_EQUAL(to_text(steps[1].statuses[0].key), R"(["db-1"])");
  CAF_CHECK(steps[1].statuses[0].times == 2);
  CAF_REQUIRE_EQUAL(steps[1].acts.size(), 3u);
  CAF_CHECK_EQUAL(steps[1].acts[0].contains.size(), 2u);
  CAF_CHECK_EQUAL(steps[1].acts[2].channel, "mail");
}

CAF_TEST(mistakes are told with line and column) {
  CAF_CHECK(starts(flaw_of(rule + "timeline:\n  - at: 10s\n    psuh: {type: a}\n"),
                   "t.yaml:5:11: A step has no field 'psuh'"));
  CAF_CHECK(starts(flaw_of(rule + "timeline:\n  - at: soon\n    expect: firing\n"), "t.yaml:4:9: 'at' is a duration"));
  CAF_CHECK(starts(flaw_of(rule + "timeline:\n  - expect: burning\n"), "t.yaml:4:13: 'burning' is not known"));
  CAF_CHECK(starts(flaw_of(rule + "timeline:\n  - push: {data: 1}\n"),
                   "t.yaml:4:11: An event is a map with at least `type`"));
  CAF_CHECK(
      starts(flaw_of(rule + "timeline:\n  - at: 5s\n    expect: firing\n  - at: 4s\n"), "t.yaml:6:5: 'at' goes back"));
  CAF_CHECK(starts(flaw_of(rule + "timeline:\n  - at: 5s\n    tick: a\n    metric: {payload: 1}\n"), "t.yaml:"));
  CAF_CHECK(starts(flaw_of("rules: [\n"), "t.yaml:"));
}

CAF_TEST(a file that cannot fail is refused) {
  CAF_CHECK(flaw_of(rule + "timeline:\n  - at: 5s\n    push: {type: a}\n").find("cannot fail") != std::string::npos);
  CAF_CHECK(flaw_of(rule).find("needs 'tests' or a 'timeline'") != std::string::npos);
  CAF_CHECK(flaw_of("timeline:\n  - expect: firing\n").find("needs 'rules'") != std::string::npos);
  CAF_CHECK(!flaw_of("").empty());
  CAF_CHECK(!flaw_of("- 1\n- 2\n").empty());
}

CAF_TEST(a definition that cannot be found is told where it is asked for) {
  CAF_CHECK(starts(flaw_of("rules:\n  - path: nowhere.yaml\ntimeline:\n  - expect: firing\n"),
                   "t.yaml:2:5: ./nowhere.yaml: cannot be read"));
}

CAF_TEST(offsets read as people write them) {
  CAF_CHECK_EQUAL(shown_offset(std::chrono::seconds{0}), "0s");
  CAF_CHECK_EQUAL(shown_offset(std::chrono::seconds{90}), "1m30s");
  CAF_CHECK_EQUAL(shown_offset(std::chrono::hours{25}), "1d1h");
}
