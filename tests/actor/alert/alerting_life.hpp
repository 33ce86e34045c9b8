// How rules, alerting and the outbox play together. Included once per database; TOBIT_TESTED_KIND names it.
#include "actors/alert/alerting_kind.hpp"
#include "actors/rule/rule_kind.hpp"
#include "schemas/alert/alert_protocol.hpp"
#include "tests/support/entity_fixture.hpp"

#include <set>

using namespace tobit;
using namespace tobit::testing;

namespace {

struct fixture : entity_fixture<TOBIT_TESTED_KIND> {
  fixture() {
    rule::register_rule_messages();
    alert::register_alert_messages();
    kinds.add(rules);
    kinds.add(alertings);
    handler.effect_type = "webhook";
    start();
  }

  entity_ref rule_ref() const { return {"rule", tenant, "r1"}; }
  entity_ref alerting_ref() const { return {"alerting", tenant, "default"}; }
  static json watched(json section = json::object()) {
    return {{"rule_name", "hot"},
            {"trigger_type", "event"},
            {"trigger_spec",
             {{"types", {"reading"}}, {"group_by", {"host"}}, {"field", "value"}, {"op", ">"}, {"value", 90}}},
            {"alert", std::move(section)}};
  }
  void save_rule(const json& body) {
    CAF_REQUIRE(ask(rule_ref(), message::of(entity::define_entity{body, "update", {}, ""})).has_value());
  }
  void save_alerting(json more = json::object()) {
    json hook{{"notification_id", "hook"},
              {"name", "hook"},
              {"webhook_url", "https://example.org/h"},
              {"policy", {{"cooldown_seconds", 0}, {"max_per_hour", 0}}}};
    hook.update(more);
    const auto saved =
        ask(alerting_ref(), message::of(entity::define_entity{{{"notifications", {hook}}}, "update", {}, ""}));
    CAF_REQUIRE_EQUAL(saved ? "" : std::string(saved.error().text()), "");
  }
  void read(const std::string& host, int value) {
    event::event e;
    e.id = std::to_string(++offset);
    e.source = "/s";
    e.type = "reading";
    e.data = {{"host", host}, {"value", value}};
    CAF_REQUIRE(ask(rule_ref(), message::of(rule::evaluate_events{
                                    0, {{offset, std::make_shared<const event::event>(std::move(e))}}}))
                    .has_value());
  }
  /// What the webhook was called with: reasons in order.
  std::string told() const {
    std::string out;
    for (const auto& a : handler.attempts)
      out += (out.empty() ? "" : " ") + a.body.at("payload").at("reason").template get<std::string>();
    return out;
  }

  rule::rule_kind rules{{}};
  alert::alerting_kind alertings{{}};
  std::uint64_t offset = 0;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(alerting_life_tests, fixture)

CAF_TEST(an alert goes from the event to the webhook and back to its log) {
  save_rule(watched());
  save_alerting();
  read("a", 95);
  read("a", 96);
  settle();
  CAF_CHECK_EQUAL(told(), "firing");
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM alert WHERE status = 'firing'"), 1);
  CAF_CHECK_EQUAL(text("SELECT status FROM notification_log"), "sent");
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM rule_event"), 1);
  read("a", 10);
  pass(std::chrono::seconds{2});
  CAF_CHECK_EQUAL(told(), "firing resolved");
  CAF_CHECK_EQUAL(text("SELECT status FROM alert"), "resolved");
}

CAF_TEST(alerting that nobody defined is there when a rule needs it) {
  save_rule(watched());
  read("a", 95);
  settle();
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM entity WHERE kind = 'alerting'"), 1);
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM alert WHERE status = 'firing'"), 1);
  save_alerting(); // and what fires already is told to whoever comes later
  pass(std::chrono::seconds{1});
  CAF_CHECK_EQUAL(told(), "firing");
}

CAF_TEST(a killed node neither forgets a pending alert nor tells twice) {
  save_rule(watched({{"for_seconds", 60}}));
  save_alerting();
  read("a", 95);
  settle();
  kill();
  start();
  pass(std::chrono::seconds{30});
  CAF_CHECK_EQUAL(told(), "");
  pass(std::chrono::seconds{31});
  CAF_CHECK_EQUAL(told(), "firing");
  kill();
  start();
  pass(std::chrono::seconds{120});
  std::set<std::string> ids;
  for (const auto& a : handler.attempts) ids.insert(a.id);
  CAF_CHECK_EQUAL(ids.size(), 1u);
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM notification_log"), 1);
}

CAF_TEST(a disabled and a deleted rule leave no alert firing) {
  save_alerting();
  save_rule(watched());
  read("a", 95);
  auto off = watched();
  off["is_active"] = false;
  save_rule(off);
  pass(std::chrono::seconds{2});
  CAF_CHECK_EQUAL(text("SELECT reason FROM alert"), "the rule was disabled");
  off["is_active"] = true;
  save_rule(off);
  read("b", 95);
  CAF_REQUIRE(ask(rule_ref(), message::of(entity::delete_entity{})).has_value());
  pass(std::chrono::seconds{2});
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM alert WHERE status = 'resolved'"), 2);
  CAF_CHECK_EQUAL(told(), "firing resolved firing resolved");
}

CAF_TEST(what a person does is answered when it is durable and stands in the audit) {
  save_alerting({{"repeat_interval_seconds", 60}});
  save_rule(watched({{"resolve_after_seconds", 0}}));
  read("a", 95);
  settle();
  const auto id = text("SELECT alert_id FROM alert");
  CAF_REQUIRE(ask(alerting_ref(), message::of(alert::acknowledge_alert{id, "ann", "on it"})).has_value());
  CAF_CHECK_EQUAL(rows("SELECT ack FROM alert"), 1);
  CAF_CHECK_EQUAL(rows("SELECT ack FROM rule_event"), 1);
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM audit_log WHERE action = 'ack'"), 1);
  pass(std::chrono::seconds{300});
  CAF_CHECK_EQUAL(told(), "firing");
  const json silence{{"matchers", {"host=\"b\""}}, {"duration_seconds", 60}};
  CAF_REQUIRE(ask(alerting_ref(), message::of(alert::put_silence{"", silence, "ann"})).has_value());
  read("b", 95);
  pass(std::chrono::seconds{59});
  CAF_CHECK_EQUAL(told(), "firing");
  pass(std::chrono::seconds{2});
  CAF_CHECK_EQUAL(told(), "firing firing");
  CAF_CHECK(code(ask(alerting_ref(), message::of(alert::acknowledge_alert{"none", "ann", ""}))) ==
            error_code::not_found);
}

CAF_TEST(a channel that is not there leaves a failed row and not a lost one) {
  save_alerting({{"webhook_url", ""}, {"channels", {"nowhere"}}});
  save_rule(watched());
  read("a", 95);
  pass(std::chrono::seconds{1});
  CAF_CHECK_EQUAL(text("SELECT status FROM notification_log"), "fail");
  CAF_CHECK(text("SELECT reason FROM notification_log").find("channel") != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
