#define CAF_SUITE rule_life

#include "actors/rule/example_pack.hpp"
#include "actors/rule/rule_kind.hpp"
#include "config/examples/example_rules.hpp"
#include "schemas/entity/interest_spec.hpp"
#include "tests/support/entity_fixture.hpp"

#include <set>

using namespace tobit;
using namespace tobit::testing;
using namespace tobit::rule;

namespace {

struct fixture : entity_fixture<database_kind::sqlite> {
  fixture() {
    register_rule_messages();
    kinds.add(rules);
    handler.effect_type = "webhook";
    start();
  }

  entity_ref rule_ref(std::string key = "r1") const { return {"rule", tenant, std::move(key)}; }
  result<message> save(const json& body, std::optional<std::int64_t> expected = {}) {
    return ask(rule_ref(), message::of(entity::define_entity{body, "update", expected, ""}));
  }
  template <wire_message Reply, wire_message M>
  Reply tell(M body) {
    auto reply = ask(rule_ref(), message::of(std::move(body)));
    if (!reply) CAF_FAIL(reply.error().text());
    return *reply->template as<Reply>();
  }
  static evaluate_events hot(std::uint64_t first, std::uint64_t count) {
    evaluate_events batch;
    for (auto offset = first; offset < first + count; ++offset) {
      event::event e;
      e.id = std::to_string(offset);
      e.source = "/s";
      e.type = "reading";
      e.data = {{"temperature", 99}};
      batch.events.push_back({offset, std::make_shared<const event::event>(std::move(e))});
    }
    return batch;
  }
  static json hook() {
    return {{"rule_name", "hot"},
            {"trigger_type", "event"},
            {"trigger_spec", {{"types", {"reading"}}, {"field", "temperature"}, {"op", ">"}, {"value", 90}}},
            {"action_spec", {{"type", "webhook"}, {"endpoint", "https://example.org/h"}}}};
  }
  static json heartbeat() {
    return {{"rule_name", "beat"},
            {"trigger_type", "schedule"},
            {"trigger_spec", {{"interval_seconds", 60}}},
            {"action_spec", {{"type", "store"}}}};
  }

  rule_kind rules{{}};
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(rule_life, fixture)

CAF_TEST(a saved rule says what wakes it and a paused one is left alone) {
  CAF_REQUIRE(save(heartbeat()).has_value());
  CAF_REQUIRE(!listener.calls.empty());
  CAF_REQUIRE(listener.calls.back().spec.has_value());
  CAF_CHECK_EQUAL(listener.calls.back().spec->get<entity::schedule_interest>().interval_seconds, 60);
  CAF_REQUIRE(save({{"is_active", false}}).has_value());
  CAF_CHECK(!listener.calls.back().spec.has_value());
}

CAF_TEST(a tick is on record once even if the node dies after it) {
  CAF_REQUIRE(save(heartbeat()).has_value());
  CAF_CHECK(tell<tick_done>(run_tick{1'000, 0}).fired);
  kill();
  start();
  CAF_CHECK(!tell<tick_done>(run_tick{1'000, 0}).fired);
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM rule_event"), 1);
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM rule_execution WHERE status = 'success'"), 1);
}

CAF_TEST(what was decided but not committed is decided again after a death) {
  CAF_REQUIRE(save(hook()).has_value());
  auto lost = send(rule_ref(), message::of(hot(1, 1)));
  consume_messages(); // decided, not committed
  kill();
  CAF_CHECK(handler.attempts.empty());
  start();
  CAF_CHECK_EQUAL(tell<events_evaluated>(hot(1, 1)).matched, 1);
  CAF_CHECK_EQUAL(handler.attempts.size(), 1u);
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM rule_execution"), 1);
}

CAF_TEST(a webhook leaves once for each matching event and carries its execution) {
  CAF_REQUIRE(save(hook()).has_value());
  CAF_CHECK_EQUAL(tell<events_evaluated>(hot(1, 3)).matched, 3);
  CAF_CHECK_EQUAL(tell<events_evaluated>(hot(1, 4)).matched, 1);
  CAF_REQUIRE_EQUAL(handler.attempts.size(), 4u);
  std::set<std::string> keys, executions;
  for (const auto& a : handler.attempts) {
    keys.insert(a.id);
    executions.insert(a.correlation);
    CAF_CHECK_EQUAL(a.body["payload"]["exec_id"], a.correlation);
  }
  CAF_CHECK_EQUAL(keys.size(), 4u);
  CAF_CHECK_EQUAL(executions.size(), 4u);
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM rule_execution"), 4);
}

CAF_TEST(a new version keeps the place in the log and a bad one changes nothing) {
  CAF_REQUIRE(save(hook()).has_value());
  CAF_CHECK_EQUAL(tell<events_evaluated>(hot(1, 2)).matched, 2);
  const auto refused = save({{"trigger_spec", {{"field", "temperature"}, {"op", "=>"}, {"value", 1}}}});
  CAF_REQUIRE(!refused.has_value());
  CAF_CHECK_EQUAL(refused.error().pointer, "/trigger_spec/op");
  CAF_REQUIRE(save({{"rule_name", "renamed"}}, 1).has_value());
  CAF_CHECK(!save({{"rule_name", "late"}}, 1).has_value()); // somebody was faster
  CAF_CHECK_EQUAL(tell<events_evaluated>(hot(1, 3)).matched, 1);
  CAF_CHECK_EQUAL(handler.attempts.back().body["payload"]["rule"]["name"], "renamed");
  CAF_CHECK_EQUAL(handler.attempts.back().body["payload"]["rule"]["version"], 2);
}

CAF_TEST(a rule remembers across a restart by hand) {
  auto rule = heartbeat();
  rule["trigger_type"] = "metric";
  rule["trigger_spec"] = {
      {"source", "host"}, {"value_path", "v"}, {"op", ">"}, {"threshold", 1}, {"fire", "on_change"}};
  CAF_REQUIRE(save(rule).has_value());
  tell<metric_evaluated>(evaluate_metric{{{"v", 5}}, "", 1});
  CAF_REQUIRE(ask(rule_ref(), message::of(entity::control_entity{"restart", "test"})).has_value());
  settle();
  tell<metric_evaluated>(evaluate_metric{{{"v", 5}}, "", 2});
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM rule_event"), 1);
}

CAF_TEST(triggers and simulations by hand are on record with who asked) {
  CAF_REQUIRE(save(hook()).has_value());
  CAF_CHECK(tell<rule_triggered>(trigger_rule{{{"temperature", 99}}, ""}).waits_for_effects);
  CAF_CHECK(!tell<rule_triggered>(trigger_rule{{{"temperature", 9}}, ""}).matched);
  tell<rule_simulated>(simulate_rule{{{"temperature", 99}}, ""});
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM rule_execution WHERE executed_by = 'ann'"), 3);
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM rule_execution WHERE status = 'dry_run'"), 2);
  CAF_CHECK_EQUAL(handler.attempts.size(), 1u);
}

CAF_TEST(a window goes on with the same values after a death in its middle) {
  json windowed{{"rule_name", "sum"},
                {"trigger_type", "event"},
                {"trigger_spec",
                 {{"types", {"reading"}},
                  {"window_config", {{"type", "tumbling"}, {"count", 4}}},
                  {"aggregation", {{"type", "sum"}, {"field", "temperature"}, {"threshold", 1}}}}},
                {"action_spec", {{"type", "store"}, {"message", "{{value}}"}}}};
  CAF_REQUIRE(save(windowed).has_value());
  CAF_CHECK_EQUAL(tell<events_evaluated>(hot(1, 2)).matched, 0);
  kill();
  start();
  CAF_CHECK_EQUAL(tell<events_evaluated>(hot(1, 3)).matched, 0); // two of them were taken before
  auto lost = send(rule_ref(), message::of(hot(4, 1)));
  consume_messages(); // taken, not committed
  kill();
  start();
  CAF_CHECK_EQUAL(tell<events_evaluated>(hot(4, 1)).matched, 1);
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM rule_event WHERE summary = '396'"), 1);
}

CAF_TEST(the example pack comes to life on a real node) {
  for (const auto& example : config::example_rules()) {
    const entity_ref to{"rule", tenant, example.rule_id};
    CAF_CHECK(ask(to, message::of(entity::define_entity{example.body, "create", 0, ""})).has_value());
    CAF_CHECK(code(ask(to, message::of(entity::define_entity{example.body, "create", 0, ""}))) == error_code::conflict);
  }
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM interest"), static_cast<std::int64_t>(config::example_rules().size()));
}

CAF_TEST_FIXTURE_SCOPE_END()
