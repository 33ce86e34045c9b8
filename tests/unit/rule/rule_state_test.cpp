#define CAF_SUITE rule_state

#include "actors/rule/rule_state.hpp"
#include "schemas/rule/rule_events.hpp"
#include "schemas/rule/rule_protocol.hpp"
#include "tests/unit/rule/rule_samples.hpp"

#include <caf/test/unit_test.hpp>

#include <cstdlib>
#include <random>

using namespace tobit;
using namespace tobit::rule;
using namespace tobit::rule::samples;

namespace {

constexpr std::size_t exec_id_column = 1, status_column = 6, error_column = 8, refs_column = 9;

bool is_execution(const storage::statement& s) { return s.sql.find("rule_execution") != std::string_view::npos; }
std::vector<const storage::statement*> executions(const entity::decision& d) {
  std::vector<const storage::statement*> out;
  for (const auto& s : d.statements)
    if (is_execution(s)) out.push_back(&s);
  return out;
}
std::string status_of(const entity::decision& d) {
  return d.statements.empty() ? "" : text_param(*executions(d).at(0), status_column);
}
json refs_of(const entity::decision& d) { return *parse_json(text_param(*executions(d).at(0), refs_column)); }

json heartbeat() {
  return rule_with("schedule", {{"interval_seconds", 60}},
                   {{"type", "store"}, {"message", "{{rule.name}} missed {{missed}}"}});
}
json hook() {
  auto rule = hot();
  rule["action_spec"] = {{"type", "webhook"},
                         {"endpoint", "https://example.org/h"},
                         {"headers", {{"Authorization", "Bearer secret"}}},
                         {"params", {{"k", 1}}}};
  return rule;
}
json cpu(json more = json::object()) {
  json spec{{"source", "host"}, {"value_path", "cpu.percent"}, {"op", ">"}, {"threshold", 90}};
  spec.update(more);
  return rule_with("metric", spec, {{"type", "store"}});
}
evaluate_metric observed(double percent, std::int64_t at = 0) { return {{{"cpu", {{"percent", percent}}}}, "", at}; }
evaluate_events batch(std::vector<event::logged_event> events) { return {0, std::move(events)}; }

} // namespace

CAF_TEST(a tick fires once however often it is delivered) {
  bench b{heartbeat()};
  CAF_CHECK(b.ask<tick_done>(run_tick{1'000, 0}).fired);
  CAF_CHECK(!b.ask<tick_done>(run_tick{1'000, 0}).fired);
  CAF_CHECK(!b.ask<tick_done>(run_tick{999, 0}).fired);
  const auto next = b.tell(run_tick{2'000, 3});
  CAF_CHECK(next.reply.as<tick_done>()->fired);
  CAF_CHECK_EQUAL(status_of(next), "success");
  CAF_CHECK_EQUAL(member(refs_of(next), "/trigger/missed"), 3);
  CAF_CHECK_EQUAL(member(b.logic->view(), "/fired"), 2);
}

CAF_TEST(a tick for a rule that is no schedule or not active decides nothing) {
  bench event_rule{hot()};
  CAF_CHECK(!event_rule.ask<tick_done>(run_tick{1'000, 0}).fired);
  auto off = heartbeat();
  off["is_active"] = false;
  bench b{off};
  const auto nothing = b.tell(run_tick{1'000, 0});
  CAF_CHECK(nothing.events.empty() && nothing.statements.empty() && nothing.effects.empty());
}

CAF_TEST(store writes a row and tells the stream in the same decision) {
  bench b{heartbeat()};
  const auto fired = b.tell(run_tick{1'000'000, 2});
  CAF_REQUIRE_EQUAL(fired.statements.size(), 2u);
  CAF_CHECK(fired.statements[0].sql.find("rule_event") != std::string_view::npos);
  CAF_CHECK_EQUAL(text_param(fired.statements[0], 1), "d1");
  CAF_CHECK_EQUAL(text_param(fired.statements[0], 8), "a rule missed 2");
  CAF_REQUIRE_EQUAL(fired.publications.size(), 1u);
  CAF_CHECK_EQUAL(fired.publications[0].topic, "cep.events");
  CAF_CHECK_EQUAL(fired.publications[0].event, "new_event");
  const auto& item = fired.publications[0].body;
  for (auto name : {"event_id", "triggered_at", "status", "summary", "severity", "ack", "ack_at", "rule_id",
                    "rule_name", "notification_id"})
    if (!item.contains(name)) CAF_ERROR("the stream item has no " << name);
}

CAF_TEST(a matching event becomes one webhook with everything the receiver needs) {
  bench b{hook()};
  const auto d = b.tell(batch({reading(7, {{"temperature", 95}})}));
  CAF_CHECK_EQUAL(d.reply.as<events_evaluated>()->matched, 1);
  CAF_REQUIRE_EQUAL(d.effects.size(), 1u);
  const auto& e = d.effects[0];
  CAF_CHECK_EQUAL(e.type, "webhook");
  CAF_CHECK_EQUAL(e.correlation, "d1");
  CAF_CHECK_EQUAL(e.body["endpoint"], "https://example.org/h");
  CAF_CHECK_EQUAL(e.body["method"], "POST");
  CAF_CHECK_EQUAL(e.body["headers"]["Authorization"], "Bearer secret");
  const auto& p = e.body["payload"];
  CAF_CHECK_EQUAL(p["rule"], (json{{"id", ref.key}, {"name", "a rule"}, {"version", 1}}));
  CAF_CHECK_EQUAL(p["event"]["data"]["temperature"], 95);
  CAF_CHECK_EQUAL(p["values"]["actual"], 95);
  CAF_CHECK_EQUAL(p["trace_id"], to_string(b.context.trace));
  CAF_CHECK_EQUAL(p["exec_id"], "d1");
  CAF_CHECK_EQUAL(status_of(d), "pending");
  const auto log = refs_of(d);
  CAF_CHECK_EQUAL(log["action"]["endpoint"], "https://example.org/h");
  CAF_CHECK(to_text(log).find("secret") == std::string::npos);
}

CAF_TEST(an event is decided once and offsets never go back) {
  bench b{hook()};
  const auto hit = [](std::uint64_t offset) { return reading(offset, {{"temperature", 95}}); };
  CAF_CHECK_EQUAL(b.ask<events_evaluated>(batch({hit(0), hit(1)})).matched, 2);
  CAF_CHECK_EQUAL(b.ask<events_evaluated>(batch({hit(0), hit(1), hit(2)})).matched, 1);
  CAF_CHECK_EQUAL(b.ask<events_evaluated>(batch({hit(1)})).matched, 0);
  CAF_CHECK_EQUAL(b.ask<events_evaluated>(evaluate_events{1, {hit(0)}}).matched, 1); // another partition
  const auto several = b.tell(batch({hit(3), hit(4)}));
  CAF_REQUIRE_EQUAL(several.effects.size(), 2u);
  CAF_CHECK_NOT_EQUAL(several.effects[0].correlation, several.effects[1].correlation);
  CAF_CHECK_EQUAL(text_param(*executions(several)[1], exec_id_column), several.effects[1].correlation);
}

CAF_TEST(events that do not match cost no write until a thousand of them) {
  bench b{hook()};
  for (std::uint64_t i = 0; i + 1 < 1'000; ++i) {
    const auto d = b.tell(batch({reading(i, {{"temperature", 10}})}));
    if (!d.events.empty() || !d.statements.empty()) CAF_FAIL("a write at " << i);
  }
  const auto written = b.tell(batch({reading(999, {{"temperature", 10}}, "other type")}));
  CAF_REQUIRE_EQUAL(written.events.size(), 1u);
  CAF_CHECK_EQUAL(written.events[0].as<offset_advanced>()->offset, 999u);
  CAF_CHECK(written.statements.empty());
  CAF_CHECK_EQUAL(member(b.logic->view(), "/evaluated"), 999); // the other type is not for this rule
  CAF_CHECK_EQUAL(b.ask<events_evaluated>(batch({reading(5, {{"temperature", 99}})})).matched, 0);
}

CAF_TEST(a decision that was not committed is made again) {
  auto logic = start(hook());
  const auto context = new_call(system_identity(tenant_id{"acme"}));
  const entity::moment at{from_micros(1), context, "d"};
  const auto events = message::of(batch({reading(1, {{"temperature", 95}})}));
  CAF_CHECK_EQUAL(logic->decide(events, at)->reply.as<events_evaluated>()->matched, 1);
  CAF_CHECK_EQUAL(logic->decide(events, at)->reply.as<events_evaluated>()->matched, 1); // nothing was applied
}

CAF_TEST(a metric fires at every matching reading) {
  bench b{cpu()};
  CAF_CHECK(!b.ask<metric_evaluated>(observed(50)).matched);
  CAF_CHECK(b.ask<metric_evaluated>(observed(95)).matched);
  const auto again = b.tell(observed(96, 77));
  CAF_CHECK_EQUAL(again.statements.size(), 2u);
  CAF_CHECK_EQUAL(member(refs_of(again), "/trigger/actual_value"), 96.0);
  CAF_CHECK_EQUAL(member(refs_of(again), "/trigger/used_test_payload"), false);
  CAF_CHECK(b.tell(observed(96, 77)).statements.empty()); // the same reading, delivered again
  CAF_CHECK_EQUAL(member(b.logic->view(), "/fired"), 2);
}

CAF_TEST(a metric rule can fire on change only) {
  bench b{cpu({{"fire", "on_change"}})};
  const auto fires = [&](double percent) { return !b.tell(observed(percent)).statements.empty(); };
  CAF_CHECK(fires(95));
  CAF_CHECK(!fires(96));
  CAF_CHECK(!fires(10));
  CAF_CHECK(fires(95));
}

CAF_TEST(a metric that cannot be read is a failure and no match) {
  bench b{cpu()};
  const auto down = b.tell(evaluate_metric{nullptr, "connection refused", 5});
  CAF_CHECK(!down.reply.as<metric_evaluated>()->matched);
  CAF_CHECK_EQUAL(status_of(down), "fail");
  CAF_CHECK_EQUAL(text_param(*executions(down)[0], error_column), "connection refused");
  const auto html = b.tell(evaluate_metric{"<html>", "", 6});
  CAF_CHECK_EQUAL(status_of(html), "fail");
  CAF_CHECK(member(refs_of(html), "/trigger/error_reason").get<std::string>().find("leads nowhere") !=
            std::string::npos);
  const auto text = b.tell(evaluate_metric{{{"cpu", {{"percent", "high"}}}}, "", 7});
  CAF_CHECK(member(refs_of(text), "/trigger/error_reason").get<std::string>().find("not a number") !=
            std::string::npos);
  CAF_CHECK_EQUAL(member(b.logic->view(), "/failed"), 3);
  CAF_CHECK(b.ask<metric_evaluated>(evaluate_metric{{{"cpu", {{"percent", "95.5"}}}}, "", 8})
                .matched); // a text that is a number
}

CAF_TEST(a value that is not there yet is neither a match nor a failure) {
  bench b{cpu({{"op", "!="}})};
  CAF_CHECK(b.tell(evaluate_metric{{{"cpu", {{"percent", nullptr}}}}, "", 5}).statements.empty());
  bench learning{rule_with("anomaly", {{"source", "host"}, {"value_path", "rate"}})};
  CAF_CHECK(learning.tell(evaluate_metric{{{"rate", nullptr}}, "", 5}).events.empty());
  CAF_CHECK_EQUAL(member(learning.logic->view(), "/failed"), 0);
}

CAF_TEST(a manual trigger acts when it matches and says how it came about) {
  bench b{hook()};
  const auto hit = b.ask<rule_triggered>(trigger_rule{{{"temperature", 99}}, "u1"});
  CAF_CHECK(hit.matched && hit.waits_for_effects);
  CAF_CHECK_EQUAL(hit.exec_id, "d1");
  CAF_CHECK_EQUAL(hit.references["actual"], 99);
  const auto miss = b.tell(trigger_rule{{{"temperature", 9}}, "u1"});
  CAF_CHECK(!miss.reply.as<rule_triggered>()->matched && miss.effects.empty());
  CAF_CHECK_EQUAL(status_of(miss), "dry_run");
  const auto nothing = b.ask<rule_triggered>(trigger_rule{nullptr, ""});
  CAF_CHECK(!nothing.matched);
  CAF_CHECK_EQUAL(nothing.references["reason"], "The field is not there.");
  const auto event = b.ask<rule_triggered>(
      trigger_rule{{{"type", "reading"}, {"source", "/s"}, {"data", {{"temperature", 99}}}}, "u1"});
  CAF_CHECK(event.matched);
  const auto wrong_type =
      b.ask<rule_triggered>(trigger_rule{{{"type", "noise"}, {"data", {{"temperature", 99}}}}, "u1"});
  CAF_CHECK(!wrong_type.matched);
  bench s{heartbeat()};
  CAF_CHECK(s.ask<rule_triggered>(trigger_rule{nullptr, "u1"}).matched);
  CAF_CHECK(s.ask<tick_done>(run_tick{1, 0}).fired); // a trigger by hand takes no tick away
}

CAF_TEST(a simulation shows the action and does nothing) {
  bench b{hook()};
  const auto d = b.tell(simulate_rule{{{"temperature", 99}}, "u1"});
  const auto& simulation = d.reply.as<rule_simulated>()->simulation;
  CAF_CHECK_EQUAL(simulation["condition_evaluated"], true);
  CAF_CHECK_EQUAL(simulation["would_execute"], true);
  CAF_CHECK_EQUAL(simulation["resolved_action"]["endpoint"], "https://example.org/h");
  CAF_CHECK_EQUAL(simulation["resolved_action"]["headers"]["Authorization"], "***");
  CAF_CHECK_EQUAL(simulation["references"]["actual"], 99);
  CAF_CHECK_EQUAL(status_of(d), "dry_run");
  CAF_CHECK(d.effects.empty() && d.events.empty() && d.publications.empty());
  auto silent = hot();
  silent["action_spec"] = nullptr;
  bench s{silent};
  const auto without = s.ask<rule_simulated>(simulate_rule{{{"temperature", 99}}, ""}).simulation;
  CAF_CHECK_EQUAL(without["would_execute"], false);
  CAF_CHECK_EQUAL(without["resolved_action"], nullptr);
}

CAF_TEST(a body in the action is filled in and taken literally afterwards) {
  auto rule = hook();
  rule["action_spec"]["body"] = {{"text", "{{rule.name}} at {{temperature}} in {{place}}{{nowhere}}"},
                                 {"n", {1, "{{exec_id}}"}}};
  bench b{rule};
  const auto d = b.tell(batch({reading(1, {{"temperature", 95.5}, {"place", "{{rule.id}}"}})}));
  CAF_CHECK_EQUAL(d.effects.at(0).body["body"], (json{{"text", "a rule at 95.5 in {{rule.id}}"}, {"n", {1, "d1"}}}));
}

CAF_TEST(several actions share one execution) {
  auto rule = hook();
  rule["action_spec"] =
      json::array({rule["action_spec"], {{"type", "store"}}, {{"type", "store"}, {"severity", "high"}}});
  bench b{rule};
  const auto d = b.tell(batch({reading(1, {{"temperature", 95}})}));
  CAF_CHECK_EQUAL(d.effects.size(), 1u);
  CAF_CHECK_EQUAL(executions(d).size(), 1u);
  CAF_REQUIRE_EQUAL(d.statements.size(), 3u);
  CAF_CHECK_NOT_EQUAL(text_param(d.statements[0], 1), text_param(d.statements[1], 1));
  CAF_CHECK_EQUAL(text_param(d.statements[1], 7), "high");
  CAF_CHECK_EQUAL(member(refs_of(d), "/action").size(), 3u);
}

CAF_TEST(an anomaly rule learns and then notices) {
  auto rule = rule_with(
      "anomaly",
      {{"source", "host"}, {"value_path", "load.1"}, {"anomaly_config", {{"min_samples", 5}, {"baseline_max", 8}}}},
      {{"type", "store"}});
  bench b{rule};
  const auto load = [](double v) { return evaluate_metric{{{"load", {{"1", v}}}}, "", 0}; };
  for (double v : {1.0, 1.1, 0.9, 1.0, 1.05}) CAF_CHECK(!b.ask<metric_evaluated>(load(v)).matched);
  const auto odd = b.tell(load(9));
  CAF_CHECK(odd.reply.as<metric_evaluated>()->matched);
  CAF_CHECK_EQUAL(member(refs_of(odd), "/trigger/anomaly_result/is_anomaly"), true);
  for (int i = 0; i < 10; ++i) b.tell(load(1));
  CAF_CHECK_EQUAL(member(b.logic->view(), "/anomaly/baseline_count"), 8);
  CAF_CHECK_EQUAL(member(b.logic->view(), "/anomaly/baseline_source"), "learned");
}

CAF_TEST(an anomaly rule over events learns within a batch) {
  auto rule =
      rule_with("anomaly", {{"types", "reading"}, {"value_path", "t"}, {"anomaly_config", {{"min_samples", 4}}}},
                {{"type", "store"}});
  bench b{rule};
  std::vector<event::logged_event> events;
  for (std::uint64_t i = 0; i < 8; ++i) events.push_back(reading(i, {{"t", 1.0 + 0.01 * static_cast<double>(i % 3)}}));
  events.push_back(reading(8, {{"t", 50}}));
  events.push_back(reading(9, {{"t", "broken"}}));
  const auto d = b.tell(batch(events));
  CAF_CHECK_EQUAL(d.reply.as<events_evaluated>()->matched, 1);
  CAF_CHECK_EQUAL(member(b.logic->view(), "/anomaly/baseline_count"), 8); // what stood out is no part of it
  CAF_CHECK_EQUAL(member(b.logic->view(), "/failed"), 1);
  CAF_CHECK(b.tell(batch(events)).statements.empty());
}

CAF_TEST(a snapshot brings everything back and a changed trigger forgets what no longer fits) {
  bench b{cpu({{"fire", "on_change"}})};
  b.tell(observed(95, 12));
  const auto snapshot = b.logic->snapshot();
  CAF_CHECK(snapshot.size() < 300);
  auto same = start(cpu({{"fire", "on_change"}}));
  CAF_REQUIRE(same->restore(snapshot).has_value());
  CAF_CHECK_EQUAL(same->snapshot(), snapshot);
  CAF_CHECK_EQUAL(member(same->view(), "/metric_matched"), true);
  auto other = start(cpu({{"fire", "on_change"}, {"threshold", 99}}), 2);
  CAF_REQUIRE(other->take_over(*b.logic).has_value());
  CAF_CHECK_EQUAL(member(other->view(), "/metric_matched"), false);
  CAF_CHECK_EQUAL(member(other->view(), "/fired"), 1);
  CAF_CHECK(other->restore("").has_value());
  for (auto bad : {"x", "[]", "{}", R"({"v":2})", R"({"v":1,"fired":"x"})", R"({"v":1,"offsets":{"x":1}})",
                   R"({"v":1,"offsets":5})"})
    if (other->restore(bad)) CAF_ERROR("restored from " << bad);
}

CAF_TEST(replaying the journal gives the same state as living through it) {
  const char* given = std::getenv("TOBIT_TEST_SEED");
  const auto seed = given ? std::strtoul(given, nullptr, 10) : std::random_device{}();
  CAF_MESSAGE("TOBIT_TEST_SEED=" << seed);
  register_rule_messages();
  std::mt19937 random{static_cast<std::mt19937::result_type>(seed)};
  for (const auto& rule :
       {hook(), heartbeat(), cpu({{"fire", "on_change"}}),
        rule_with("anomaly",
                  {{"types", "reading"}, {"value_path", "temperature"}, {"anomaly_config", {{"baseline_max", 20}}}})}) {
    bench b{rule};
    auto replayed = start(rule);
    std::int64_t fired = 0;
    for (int i = 0; i < 500; ++i) {
      const auto n = std::uniform_int_distribution<std::uint64_t>{0, 100}(random);
      entity::decision d;
      switch (random() % 4) {
      case 0:
        d = b.tell(run_tick{static_cast<std::int64_t>(n * 10), 0});
        break;
      case 1:
        d = b.tell(observed(static_cast<double>(n), static_cast<std::int64_t>(i)));
        break;
      case 2:
        d = b.tell(evaluate_events{static_cast<std::int64_t>(n % 3),
                                   {reading(n, {{"temperature", n}}), reading(n + 1, {{"temperature", 2 * n}})}});
        break;
      default:
        d = b.tell(trigger_rule{{{"temperature", n}}, "u"});
        break;
      }
      for (const auto& e : d.events) {
        if (const auto* f = e.as<rule_fired>()) fired += f->firings;
        replayed->apply(decode_message(e.name(), e.encode()).value());
      }
    }
    CAF_CHECK_EQUAL(replayed->snapshot(), b.logic->snapshot());
    CAF_CHECK_EQUAL(member(b.logic->view(), "/fired"), fired);
  }
}

CAF_TEST(rows stay bounded whatever the payload) {
  auto rule = rule_with("event", {{"types", "reading"}}, {{"type", "store"}, {"message", "{{text}}"}});
  bench b{rule};
  const auto d = b.tell(batch({reading(1, {{"text", std::string(200'000, '"')}, {"zero", std::string("a\0b", 3)}})}));
  for (const auto& s : d.statements)
    for (const auto& v : s.params) CAF_CHECK(storage::as_text(v).size() <= payload_bytes_max);
  const auto zero = b.tell(batch({reading(2, {{"text", std::string("a\0b", 3)}})}));
  CAF_CHECK_EQUAL(text_param(zero.statements[0], 8), "a b");
}

CAF_TEST(a message of another kind is refused without harm) {
  auto logic = start(hot());
  const auto context = new_call(system_identity(tenant_id{"acme"}));
  const auto refused = logic->decide(message::of(tick_done{}), {from_micros(1), context, "d"});
  CAF_CHECK(!refused && refused.error().code == error_code::not_implemented);
}

CAF_TEST(each series of a query is judged by itself) {
  bench b(rule_with("metric", {{"source", "prometheus"},
                               {"endpoint", "http://127.0.0.1:9090"},
                               {"query", "up"},
                               {"group_by", {"instance"}},
                               {"op", "=="},
                               {"threshold", 0}}));
  const json found{
      {"readings",
       {{{"instance", "a"}, {"value", 1}}, {{"instance", "b"}, {"value", 0}}, {{"instance", "c"}, {"value", 0}}}}};
  const auto decided = b.tell(evaluate_metric{found, "", 1'800'000'000'000'001});
  CAF_CHECK(decided.reply.as<metric_evaluated>()->matched);
  std::size_t executions = 0;
  for (const auto& statement : decided.statements)
    executions += statement.sql.find("rule_execution") != std::string_view::npos ? 1 : 0;
  CAF_CHECK_EQUAL(executions, 2u);
}

CAF_TEST(a watch keeps a quiet rule in memory and is ended in time although nothing comes) {
  bench b{hot()};
  CAF_CHECK(!b.logic->wake_at().has_value());
  const auto until = b.now + std::chrono::seconds{20};
  auto d = b.tell(watch_rule{to_micros(until), 100, 10, false});
  CAF_CHECK(d.awake_until == until);
  CAF_CHECK(b.logic->wake_at() == until);
  b.now = until - std::chrono::seconds{1};
  CAF_CHECK(b.tell(entity::wake_entity{}).publications.empty());
  b.now = until;
  d = b.tell(entity::wake_entity{});
  CAF_REQUIRE_EQUAL(d.publications.size(), 1u);
  CAF_CHECK_EQUAL(d.publications[0].event, "expired");
  CAF_CHECK_EQUAL(d.publications[0].body["reason"], "time");
  CAF_CHECK(!b.logic->wake_at().has_value());
}
