#define CAF_SUITE schedule_spec

#include "runtime/time/schedule_spec.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace std::chrono_literals;

namespace {

std::string pointer_of(const json& spec) {
  const auto parsed = parse_schedule(spec, "/trigger_spec");
  if (parsed) return "accepted";
  return parsed.error().code == error_code::validation_error ? parsed.error().pointer : "wrong code";
}

utc_time at(std::string_view text) { return parse_rfc3339(text).value(); }

} // namespace

CAF_TEST(defaults are filled in) {
  const auto spec = parse_schedule(json{{"cron", "0 9 * * 1-5"}, {"timezone", "Asia/Seoul"}}).value();
  CAF_CHECK_EQUAL(to_text(json(spec)),
                  "{\"cron\":\"0 9 * * 1-5\",\"interval_seconds\":0,\"jitter_seconds\":0,\"missed\":"
                  "\"once\",\"missed_max\":100,\"overlap\":\"skip\",\"timezone\":\"Asia/Seoul\"}");
  CAF_CHECK(compile_schedule(spec).has_value());
}

CAF_TEST(the offending field is pointed at) {
  CAF_CHECK_EQUAL(pointer_of(json::object()), "/trigger_spec/cron");
  CAF_CHECK_EQUAL(pointer_of(json::array()), "/trigger_spec");
  CAF_CHECK_EQUAL(pointer_of({{"cron", 5}}), "/trigger_spec/cron");
  CAF_CHECK_EQUAL(pointer_of({{"cron", "61 * * * *"}}), "/trigger_spec/cron");
  CAF_CHECK_EQUAL(pointer_of({{"cron", "* * * * *"}, {"timezone", "Asia/Soul"}}), "/trigger_spec/timezone");
  CAF_CHECK_EQUAL(pointer_of({{"cron", "* * * * *"}, {"interval_seconds", 5}}), "/trigger_spec/interval_seconds");
  CAF_CHECK_EQUAL(pointer_of({{"interval_seconds", 5}, {"timezone", "UTC"}}), "/trigger_spec/timezone");
  for (auto wrong : {json(0), json(-1), json(1.5), json("5"), json(31'536'001), json(1e300), json(true), json::array()})
    CAF_CHECK_EQUAL(pointer_of({{"interval_seconds", wrong}}), "/trigger_spec/interval_seconds");
  CAF_CHECK_EQUAL(pointer_of({{"interval_seconds", 5}, {"missed", "maybe"}}), "/trigger_spec/missed");
  CAF_CHECK_EQUAL(pointer_of({{"interval_seconds", 5}, {"missed_max", 0}}), "/trigger_spec/missed_max");
  CAF_CHECK_EQUAL(pointer_of({{"interval_seconds", 5}, {"overlap", "x"}}), "/trigger_spec/overlap");
  CAF_CHECK_EQUAL(pointer_of({{"interval_seconds", 5}, {"jitter_seconds", 3601}}), "/trigger_spec/jitter_seconds");
  CAF_CHECK_EQUAL(pointer_of({{"interval_seconds", 5.0}, {"missed", nullptr}}), "accepted");
}

CAF_TEST(an interval keeps its grid whenever somebody asks) {
  const auto spec = compile_schedule(parse_schedule({{"interval_seconds", 60}}).value()).value();
  const auto anchor = at("2026-11-20T08:30:07Z");
  CAF_CHECK(next_due(spec, anchor, anchor) == anchor + 60s);
  CAF_CHECK(next_due(spec, anchor, anchor + 59s) == anchor + 60s);
  CAF_CHECK(next_due(spec, anchor, anchor + 60s) == anchor + 120s);
  CAF_CHECK(next_due(spec, anchor, anchor + 1'000'001s) == anchor + 1'000'020s);
  CAF_CHECK(next_due(spec, anchor, anchor - 1h) == anchor + 60s);
}
