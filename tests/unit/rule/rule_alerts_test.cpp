#define CAF_SUITE rule_alerts

#include "runtime/entity/message_to.hpp"
#include "schemas/alert/alert_protocol.hpp"
#include "schemas/entity/entity_protocol.hpp"
#include "schemas/rule/alert_events.hpp"
#include "schemas/rule/rule_events.hpp"
#include "tests/unit/rule/rule_samples.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::rule;
using namespace tobit::rule::samples;

namespace {

json watched(json section = json::object()) {
  auto rule = hot();
  rule["trigger_spec"]["group_by"] = {"host"};
  rule["alert"] = std::move(section);
  rule["labels"] = {{"team", "infra"}};
  return rule;
}
evaluate_events batch(std::vector<event::logged_event> events) { return {0, std::move(events)}; }
event::logged_event at(std::uint64_t offset, std::string host, double temperature) {
  return reading(offset, {{"host", std::move(host)}, {"temperature", temperature}});
}

/// What alerting is told in a decision.
std::vector<alert::alert_changed> told(const entity::decision& d) {
  std::vector<alert::alert_changed> out;
  for (const auto& e : d.effects) {
    if (e.type != entity::message_effect::effect_type) continue;
    const auto said = entity::wish_of(e);
    if (said.to_kind != alert::kind_name) continue;
    for (auto& change : said.body.get<alert::alerts_changed>().changes) out.push_back(std::move(change));
  }
  return out;
}
std::size_t stored(const entity::decision& d) {
  std::size_t n = 0;
  for (const auto& s : d.statements) n += s.sql.find("INTO rule_event ") != std::string_view::npos;
  return n;
}

} // namespace

CAF_TEST(a rule with alerts acts once for each key and tells alerting of every change) {
  bench b{watched()};
  auto d = b.tell(batch({at(1, "a", 95), at(2, "a", 96), at(3, "b", 97), at(4, "c", 50)}));
  CAF_CHECK_EQUAL(stored(d), 2u);
  auto changes = told(d);
  CAF_REQUIRE_EQUAL(changes.size(), 2u);
  CAF_CHECK_EQUAL(changes[0].status, "firing");
  CAF_CHECK_EQUAL(changes[0].key, "[\"a\"]");
  CAF_CHECK(changes[0].labels ==
            (json{{"host", "a"}, {"team", "infra"}, {"rule_name", "a rule"}, {"severity", "info"}}));
  CAF_CHECK(!changes[0].event_id.empty());
  d = b.tell(batch({at(5, "a", 99)}));
  CAF_CHECK_EQUAL(stored(d), 0u);
  CAF_CHECK(told(d).empty());
  d = b.tell(batch({at(6, "a", 20)}));
  changes = told(d);
  CAF_REQUIRE_EQUAL(changes.size(), 1u);
  CAF_CHECK_EQUAL(changes[0].status, "resolved");
  CAF_CHECK_EQUAL(changes[0].change, 2);
  CAF_CHECK_EQUAL(stored(d), 0u);
}

CAF_TEST(a pending alert fires when its time has come and runs the actions) {
  bench b{watched({{"for_seconds", 60}, {"annotations", {{"summary", "{{host}} is hot"}}}})};
  CAF_CHECK_EQUAL(stored(b.tell(batch({at(1, "a", 95)}))), 0u);
  const auto due = b.logic->wake_at();
  CAF_REQUIRE(due.has_value());
  CAF_CHECK(*due == b.now + std::chrono::seconds{60});
  CAF_CHECK(b.tell(entity::wake_entity{}).events.empty());
  b.now = *due;
  const auto d = b.tell(entity::wake_entity{});
  CAF_CHECK_EQUAL(stored(d), 1u);
  const auto changes = told(d);
  CAF_REQUIRE_EQUAL(changes.size(), 1u);
  CAF_CHECK_EQUAL(changes[0].status, "firing");
  CAF_CHECK_EQUAL(changes[0].annotations.value("summary", ""), "a is hot");
}

CAF_TEST(alerts survive a crash and a snapshot) {
  bench b{watched({{"for_seconds", 60}})};
  std::vector<message> journal;
  for (auto& e : b.tell(batch({at(1, "a", 95), at(2, "b", 95)})).events) journal.push_back(e);
  b.now += std::chrono::seconds{60};
  for (auto& e : b.tell(entity::wake_entity{}).events) journal.push_back(e);
  auto replayed = start(watched({{"for_seconds", 60}}));
  for (const auto& e : journal) replayed->apply(e);
  CAF_CHECK_EQUAL(replayed->snapshot(), b.logic->snapshot());
  auto restored = start(watched({{"for_seconds", 60}}));
  CAF_REQUIRE(restored->restore(b.logic->snapshot()).has_value());
  CAF_CHECK_EQUAL(restored->snapshot(), b.logic->snapshot());
}

CAF_TEST(a new version keeps alerts and a disabled one or another grouping resolves them) {
  bench b{watched()};
  b.tell(batch({at(1, "a", 95)}));
  const auto before = b.logic->snapshot();
  auto louder = watched();
  louder["severity"] = "critical";
  bench kept{louder};
  CAF_REQUIRE(kept.logic->restore(before).has_value());
  CAF_CHECK(!kept.logic->wake_at() || *kept.logic->wake_at() > kept.now);
  CAF_CHECK(told(kept.tell(batch({at(2, "a", 96)}))).empty());

  auto off = watched(), other = watched(), without = watched();
  off["is_active"] = false;
  other["trigger_spec"]["group_by"] = {"rack"};
  without["alert"] = nullptr;
  for (const auto& changed : {off, other, without}) {
    bench next{changed};
    CAF_REQUIRE(next.logic->restore(before).has_value());
    CAF_REQUIRE(next.logic->wake_at().has_value());
    const auto changes = told(next.tell(entity::wake_entity{}));
    CAF_REQUIRE_EQUAL(changes.size(), 1u);
    CAF_CHECK_EQUAL(changes[0].status, "resolved");
    CAF_CHECK(!changes[0].reason.empty());
    CAF_CHECK(!next.logic->wake_at().has_value());
  }
}

CAF_TEST(a metric rule with alerts resolves when the metric is well again and a failed reading changes nothing) {
  auto rule = rule_with("metric", {{"source", "host"}, {"value_path", "cpu"}, {"op", ">"}, {"threshold", 90}});
  rule["alert"] = {{"clear", {{"op", "<"}, {"threshold", 70}}}};
  bench b{rule};
  const auto observed = [&](double cpu, std::string error = {}) {
    b.now += std::chrono::seconds{10};
    return b.tell(evaluate_metric{{{"cpu", cpu}}, std::move(error), to_micros(b.now)});
  };
  CAF_CHECK_EQUAL(told(observed(95)).size(), 1u);
  CAF_CHECK_EQUAL(told(observed(95)).size(), 0u);
  CAF_CHECK_EQUAL(told(observed(80)).size(), 0u);
  CAF_CHECK_EQUAL(told(observed(0, "no answer")).size(), 0u);
  CAF_CHECK_EQUAL(told(observed(60)).size(), 1u);
}

CAF_TEST(an event rule that compares one number has it as value and a threshold can clear its alert) {
  auto rule = rule_with("event", {{"types", {"cpu"}}, {"field", "load"}, {"op", ">"}, {"value", 90}});
  rule["alert"] = {{"clear", {{"op", "<"}, {"threshold", 80}}}, {"annotations", {{"summary", "{{value}} %"}}}};
  bench b{rule};
  std::uint64_t offset = 0;
  const auto seen = [&](json load) {
    event::event e;
    e.id = std::to_string(++offset);
    e.source = "/s";
    e.type = "cpu";
    e.time = b.now;
    e.data = {{"load", std::move(load)}};
    return told(b.tell(evaluate_events{0, {{offset, std::make_shared<const event::event>(std::move(e))}}}));
  };
  const auto fires = seen(95);
  CAF_REQUIRE_EQUAL(fires.size(), 1u);
  CAF_CHECK_EQUAL(fires[0].annotations["summary"], "95 %");
  CAF_CHECK_EQUAL(seen(85).size(), 0u);
  CAF_CHECK_EQUAL(seen("idle").size(), 0u);
  CAF_CHECK_EQUAL(seen(true).size(), 0u);
  const auto over = seen(79);
  CAF_REQUIRE_EQUAL(over.size(), 1u);
  CAF_CHECK_EQUAL(over[0].status, "resolved");
}

CAF_TEST(a threshold that no single number can reach is refused with the way out) {
  const json clear{{"clear", {{"op", "<"}, {"threshold", 80}}}};
  const json two{{"types", {"cpu"}}, {"conditions", {{{"field", "a"}, {"value", 1}}, {{"field", "b"}, {"value", 1}}}}};
  for (const auto& [type, spec] : {std::pair<std::string, json>{"event", two},
                                   {"event", {{"types", {"cpu"}}}},
                                   {"pattern", {{"pattern", "a then b within 5m"}}}}) {
    auto rule = rule_with(type, spec);
    rule["alert"] = clear;
    const auto refused = samples::compile(rule);
    CAF_REQUIRE(!refused);
    CAF_CHECK_EQUAL(refused.error().pointer, "/alert/clear");
  }
}

CAF_TEST(an alert remembers the fields of its input that annotations and actions name until it has fired and ended) {
  auto rule = rule_with("event", {{"types", {"job"}}, {"field", "state"}, {"value", "failed"}, {"group_by", {"job"}}},
                        {{{"type", "store"}, {"message", "{{job}}: {{error.text}} on {{node}}"}},
                         {{"type", "notify"}, {"channels", {"ops"}}, {"message", "{{job}} says {{error.text}}"}}});
  rule["alert"] = {{"for_seconds", 60}, {"annotations", {{"where", "{{node}}{{nowhere}}"}}}};
  bench b{rule};
  event::event e;
  e.id = "1";
  e.source = "/s";
  e.type = "job";
  e.time = b.now;
  e.data = {{"job", "a"}, {"state", "failed"}, {"node", 7}, {"error", {{"text", "disk full"}}}};
  const auto pending = told(b.tell(evaluate_events{0, {{1, std::make_shared<const event::event>(std::move(e))}}}));
  CAF_REQUIRE_EQUAL(pending.size(), 1u);
  b.now += std::chrono::seconds{60};
  const auto fired = b.tell(entity::wake_entity{});
  const auto firing = told(fired);
  CAF_REQUIRE_EQUAL(firing.size(), 1u);
  CAF_CHECK_EQUAL(firing[0].message, "a says disk full");
  CAF_CHECK_EQUAL(firing[0].annotations["where"], "7");
  CAF_CHECK_EQUAL(stored(fired), 1u);
  CAF_CHECK_EQUAL(text_param(fired.statements.at(0), 8), "a: disk full on 7");
}
