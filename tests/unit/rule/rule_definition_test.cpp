#define CAF_SUITE rule_definition

#include "actors/rule/rule_definition.hpp"
#include "schemas/entity/interest_spec.hpp"
#include "tests/unit/rule/rule_table.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::rule;
using samples::rule_with;

CAF_TEST(every bad rule is refused at its place with a helpful sentence) {
  for (const auto& bad : samples::bad_rules()) {
    const auto compiled = samples::compile(bad.body);
    if (compiled) {
      CAF_ERROR(bad.name << " was accepted");
    } else if (compiled.error().pointer != bad.pointer ||
               compiled.error().message.find(bad.says) == std::string::npos) {
      CAF_ERROR(bad.name << " gives '" << compiled.error().pointer << "': " << compiled.error().message);
    }
  }
  CAF_CHECK(samples::bad_rules().size() > 60);
}

CAF_TEST(every good rule is accepted and normalising it again changes nothing) {
  for (const auto& good : samples::good_rules()) {
    const auto compiled = samples::compile(good.body);
    if (!compiled) {
      CAF_ERROR(good.name << " is refused at '" << compiled.error().pointer << "': " << compiled.error().message);
      continue;
    }
    const auto again = samples::compile(compiled->definition);
    CAF_CHECK(again && again->definition == compiled->definition);
    CAF_CHECK(rule_kind{samples::guard()}.instantiate(samples::ref, 1, compiled->definition).has_value());
    CAF_CHECK_EQUAL(compiled->label, good.body.at("trigger_type"));
  }
}

CAF_TEST(a refused address is told apart from other mistakes) {
  const auto refused = samples::compile(
      rule_with("event", {{"types", "x"}}, {{"type", "webhook"}, {"endpoint", "http://169.254.169.254/latest"}}));
  CAF_REQUIRE(!refused);
  CAF_CHECK(refused.error().code == error_code::address_refused);
  CAF_CHECK_EQUAL(refused.error().pointer, "/action_spec/endpoint");
  CAF_CHECK(samples::compile(
                rule_with("event", {{"types", "x"}}, {{"type", "webhook"}, {"endpoint", "http://127.0.0.1:9090/hook"}}))
                .has_value());
}

CAF_TEST(a rule larger than its limit is refused) {
  auto body = rule_with("event", {{"field", "a"}, {"op", "in"}, {"value", json::array({std::string(300'000, 'x')})}});
  const auto refused = samples::compile(body);
  CAF_CHECK(!refused && refused.error().code == error_code::payload_too_large);
}

CAF_TEST(a partial update keeps what it does not mention) {
  const auto before = samples::compile(samples::hot())->definition;
  const json change{{"is_active", false}, {"description", "set aside"}};
  const auto after = samples::compile(change, &before);
  CAF_REQUIRE(after.has_value());
  CAF_CHECK(!after->enabled && after->interests.empty());
  CAF_CHECK_EQUAL(after->definition["trigger_spec"], before["trigger_spec"]);
  CAF_CHECK_EQUAL(after->definition["description"], "set aside");
  const json back{{"description", nullptr}};
  CAF_CHECK_EQUAL(samples::member(samples::compile(back, &after->definition)->definition, "/description"), "");
  const json other{{"trigger_type", "schedule"}};
  CAF_CHECK_EQUAL(samples::compile(other, &before).error().pointer, "/trigger_spec");
  CAF_CHECK(samples::compile(json(), &before)->definition == before);
}

CAF_TEST(a rule tells what wakes it) {
  auto schedule = rule_with("schedule", {{"cron", "0 9 * * MON-FRI"}});
  schedule["timezone"] = "Asia/Seoul";
  const auto cron = samples::compile(schedule)->interests;
  CAF_REQUIRE_EQUAL(cron.size(), 1u);
  CAF_CHECK_EQUAL(cron[0].source, "schedule");
  CAF_CHECK_EQUAL(cron[0].spec.get<entity::schedule_interest>().timezone, "Asia/Seoul");
  CAF_CHECK_EQUAL(cron[0].spec.get<entity::schedule_interest>().cron, "0 9 * * MON-FRI");

  const auto both =
      samples::compile(rule_with("schedule", {{"cron", "0 * * * *"}, {"interval_seconds", 5}}))->interests[0];
  CAF_CHECK_EQUAL(both.spec.get<entity::schedule_interest>().interval_seconds, 0); // cron wins

  const auto host =
      samples::compile(
          rule_with("metric", {{"source", "host"}, {"value_path", "cpu.percent"}, {"op", ">"}, {"threshold", 90}}))
          ->interests[0];
  CAF_CHECK_EQUAL(host.source, "poll");
  CAF_CHECK_EQUAL(host.spec.get<entity::poll_interest>().source, "host");

  const auto http = samples::compile(rule_with("metric", {{"endpoint", "https://example.org/m"},
                                                          {"value_path", "v"},
                                                          {"threshold", "90"},
                                                          {"headers", {{"X-Key", "s"}}}}))
                        ->interests[0]
                        .spec.get<entity::poll_interest>();
  CAF_CHECK_EQUAL(http.source, "http");
  CAF_CHECK_EQUAL(http.poll_interval_seconds, 30);
  CAF_CHECK_EQUAL(http.headers["X-Key"], "s");

  const auto events = samples::compile(rule_with("event", {{"event_type", "disk.*"}, {"sources", "/a"}}))->interests[0];
  CAF_CHECK_EQUAL(events.source, "event");
  CAF_CHECK_EQUAL(to_text(json(events.spec.get<entity::event_interest>())), R"({"sources":["/a"],"types":["disk.*"]})");
}

CAF_TEST(a list of actions is stored as a multi action) {
  const auto compiled = samples::compile(rule_with("event", {{"types", "x"}}, json::array({{{"type", "store"}}})));
  CAF_CHECK_EQUAL(compiled->definition["action_spec"],
                  (json{{"type", "multi_action"}, {"actions", {{{"type", "store"}}}}}));
  const auto none = samples::compile(rule_with("event", {{"types", "x"}}, json::array()));
  CAF_CHECK_EQUAL(none->definition["action_spec"], json::object());
}

CAF_TEST(a rule that names no time zone gets the one of the node) {
  const rule_kind kind{samples::guard(), "Asia/Seoul"};
  const json body{{"rule_name", "nightly"}, {"trigger_type", "schedule"}, {"trigger_spec", {{"cron", "0 3 * * *"}}}};
  const auto compiled = kind.compile(samples::ref, body, nullptr);
  CAF_REQUIRE(compiled.has_value());
  CAF_CHECK_EQUAL(compiled->definition.at("timezone"), "Asia/Seoul");
  CAF_REQUIRE_EQUAL(compiled->interests.size(), 1u);
  CAF_CHECK_EQUAL(compiled->interests.front().spec.at("timezone"), "Asia/Seoul");
}
