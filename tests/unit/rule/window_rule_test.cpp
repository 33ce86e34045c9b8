#define CAF_SUITE window_rule

#include "schemas/entity/entity_protocol.hpp"
#include "schemas/rule/rule_events.hpp"
#include "tests/unit/rule/rule_samples.hpp"

#include <caf/test/unit_test.hpp>

#include <cstdlib>
#include <random>

using namespace tobit;
using namespace tobit::rule;
using namespace tobit::rule::samples;

namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t start_us = 1'800'000'000 * second; // a full minute

json windowed(json config, json aggregation, json more = json::object()) {
  json spec{{"types", {"request"}}, {"window_config", std::move(config)}, {"aggregation", std::move(aggregation)}};
  spec.update(more);
  return rule_with("event", spec, {{"type", "store"}, {"message", "{{host}} {{labels.host}} {{value}} {{summary}}"}});
}

event::logged_event request(std::uint64_t offset, double at_seconds, json data) {
  event::event e;
  e.id = std::to_string(offset);
  e.source = "/web";
  e.type = "request";
  e.time = from_micros(start_us + static_cast<std::int64_t>(at_seconds * 1e6));
  e.data = std::move(data);
  return {offset, std::make_shared<const event::event>(std::move(e))};
}

/// A bench whose clock follows the events.
struct stand : bench {
  explicit stand(const json& body) : bench(body) { now = from_micros(start_us); }
  std::uint64_t offset = 0;

  entity::decision push(double at_seconds, json data) {
    now = std::max(now, from_micros(start_us + static_cast<std::int64_t>(at_seconds * 1e6)));
    return tell(evaluate_events{0, {request(++offset, at_seconds, std::move(data))}});
  }
  std::int64_t fired(double at_seconds, json data) {
    const auto d = push(at_seconds, std::move(data));
    return d.reply.as<events_evaluated>()->matched;
  }
  entity::decision wake() {
    now = logic->wake_at().value();
    return tell(entity::wake_entity{});
  }
};

json payload_of(const entity::decision& d) { return *parse_json(text_param(d.statements.at(0), 9)); }

} // namespace

CAF_TEST(a tumbling window fires when time passes its end although nothing comes any more) {
  stand s{windowed({{"type", "tumbling"}, {"size_seconds", 60}}, {{"type", "count"}, {"op", ">="}, {"threshold", 3}},
                   {{"group_by", {"host"}}})};
  for (int i = 0; i < 3; ++i) CAF_CHECK_EQUAL(s.fired(i, {{"host", "db-1"}}), 0);
  CAF_CHECK_EQUAL(s.fired(3, {{"host", "db-2"}}), 0);
  CAF_REQUIRE(s.logic->wake_at().has_value());
  CAF_CHECK_EQUAL(to_micros(*s.logic->wake_at()), start_us + 65 * second); // five seconds of quiet first
  const auto closed = s.wake();
  CAF_REQUIRE_EQUAL(closed.statements.size(), 2u);
  CAF_CHECK_EQUAL(text_param(closed.statements[0], 8), "db-1 db-1 3 count for host db-1 is 3 (>= 3)");
  const auto payload = payload_of(closed);
  CAF_CHECK_EQUAL(payload["labels"], (json{{"host", "db-1"}}));
  CAF_CHECK_EQUAL(payload["window"]["start"], to_rfc3339(from_micros(start_us)));
  CAF_CHECK_EQUAL(payload["window"]["end"], to_rfc3339(from_micros(start_us + 60 * second)));
  CAF_CHECK_EQUAL(payload["window"]["value"], 3.0);
  CAF_CHECK_EQUAL(payload["values"]["group"], (json{{"host", "db-1"}}));
  CAF_CHECK(!s.logic->wake_at().has_value());
}

CAF_TEST(a message can say from when to when a window reached and how many inputs it saw) {
  auto rule = windowed({{"type", "tumbling"}, {"size_seconds", 60}}, {{"type", "count"}});
  rule["action_spec"] = {{"type", "store"},
                         {"message", "{{window.count}} from {{window.start}} to {{window.end}}{{window.x}}"}};
  stand s{rule};
  s.push(0, {{"host", "db-1"}});
  const auto closed = s.wake();
  CAF_REQUIRE_EQUAL(closed.statements.size(), 2u);
  CAF_CHECK_EQUAL(text_param(closed.statements[0], 8), "1 from " + to_rfc3339(from_micros(start_us)) + " to " +
                                                           to_rfc3339(from_micros(start_us + 60 * second)));
}

CAF_TEST(a sliding average fires when it crosses and not again while it stays) {
  stand s{
      windowed({{"type", "sliding"}, {"size_seconds", 60}}, {{"type", "avg"}, {"field", "ms"}, {"threshold", 100}})};
  CAF_CHECK_EQUAL(s.fired(0, {{"ms", 50}}), 0);
  CAF_CHECK_EQUAL(s.fired(1, {{"ms", 151}}), 1);
  CAF_CHECK_EQUAL(s.fired(2, {{"ms", 151}}), 0);
  CAF_CHECK_EQUAL(s.fired(3, {{"ms", 1}}), 0);
  CAF_CHECK_EQUAL(s.fired(4, {{"ms", 500}}), 1);
  CAF_CHECK_EQUAL(s.fired(200, {{"ms", "101"}}), 1); // the window was empty in between; a text that is a number
  CAF_CHECK_EQUAL(s.fired(201, {{"ms", "slow"}}), 0);
  CAF_CHECK_EQUAL(member(s.logic->view(), "/window/unreadable"), 1);
  CAF_CHECK_EQUAL(member(s.logic->view(), "/window/newest/0/value"), 101.0);
}

CAF_TEST(only events that fit the conditions are counted and late ones are told) {
  stand s{windowed({{"type", "tumbling"}, {"size_seconds", 10}}, {{"type", "count"}, {"threshold", 1}},
                   {{"field", "status"}, {"op", ">="}, {"value", 500}})};
  s.push(1, {{"status", 500}});
  s.push(2, {{"status", 200}});
  s.push(25, {{"status", 503}});
  s.push(3, {{"status", 503}});
  const auto view = s.logic->view();
  CAF_CHECK_EQUAL(member(view, "/window/taken"), 2);
  CAF_CHECK_EQUAL(member(view, "/window/late"), 1);
}

CAF_TEST(a window without a threshold tells of each one that closes) {
  stand s{windowed({{"type", "tumbling"}, {"count", 3}}, {{"type", "sum"}, {"field", "n"}})};
  CAF_CHECK_EQUAL(s.fired(0, {{"n", 1}}) + s.fired(0, {{"n", 2}}), 0);
  CAF_CHECK_EQUAL(s.fired(0, {{"n", 4}}), 1);
  CAF_CHECK(!s.logic->wake_at().has_value());
}

CAF_TEST(a simulation shows the window with the payload in it and changes nothing) {
  stand s{windowed({{"type", "tumbling"}, {"size_seconds", 60}}, {{"type", "sum"}, {"field", "n"}, {"threshold", 10}},
                   {{"group_by", "host"}})};
  s.push(1, {{"host", "a"}, {"n", 7}});
  const auto before = s.logic->snapshot();
  const auto simulate = [&](json data) {
    return s.ask<rule_simulated>(simulate_rule{{{"type", "request"}, {"data", std::move(data)}}, "u"}).simulation;
  };
  const auto more = simulate({{"host", "a"}, {"n", 4}});
  CAF_CHECK_EQUAL(more["condition_evaluated"], true);
  CAF_CHECK_EQUAL(more["references"]["actual"], 11.0);
  CAF_CHECK_EQUAL(more["references"]["window"]["count"], 2);
  const auto other = simulate({{"host", "b"}, {"n", 4}});
  CAF_CHECK_EQUAL(other["condition_evaluated"], false);
  CAF_CHECK_EQUAL(other["references"]["actual"], 4.0);
  const auto without = simulate(json::object({{"host", "b"}}));
  CAF_CHECK_EQUAL(without["references"]["reason"], "There is no number at 'n'.");
  CAF_CHECK(s.ask<rule_triggered>(trigger_rule{{{"host", "a"}, {"n", 100}}, "u"}).matched);
  CAF_CHECK_EQUAL(member(s.logic->view(), "/window/taken"), 1);
  auto after = *parse_json(s.logic->snapshot().substr(0, s.logic->snapshot().find('\n')));
  CAF_CHECK_EQUAL(after["inputs_sequence"], 1);
  CAF_CHECK(before.substr(before.find('\n')) == s.logic->snapshot().substr(s.logic->snapshot().find('\n')));
}

CAF_TEST(a metric is averaged over its readings) {
  auto rule = rule_with("metric",
                        {{"source", "host"},
                         {"value_path", "cpu.percent"},
                         {"op", ">"},
                         {"threshold", 90},
                         {"window_config", {{"type", "sliding"}, {"size_seconds", 60}}},
                         {"aggregation", {{"type", "avg"}}}},
                        {{"type", "store"}});
  bench b{rule};
  const auto read = [&](double percent) {
    b.now += std::chrono::seconds(10);
    return b.ask<metric_evaluated>(evaluate_metric{{{"cpu", {{"percent", percent}}}}, "", to_micros(b.now)}).matched;
  };
  CAF_CHECK(!read(50) && !read(99) && !read(99) && !read(99) && !read(99));
  CAF_CHECK(read(99)); // the first reading has just left the window of sixty seconds
}

CAF_TEST(a new threshold keeps the windows and a new size begins anew) {
  const auto sum = [](double threshold, int size) {
    return windowed({{"type", "tumbling"}, {"size_seconds", size}},
                    {{"type", "sum"}, {"field", "n"}, {"threshold", threshold}});
  };
  stand s{sum(10, 60)};
  s.push(1, {{"n", 7}});
  auto kept = start(sum(5, 60), 2), anew = start(sum(10, 30), 2);
  CAF_REQUIRE(kept->take_over(*s.logic).has_value());
  CAF_REQUIRE(anew->take_over(*s.logic).has_value());
  CAF_CHECK_EQUAL(member(kept->view(), "/window/taken"), 1);
  CAF_CHECK_EQUAL(member(anew->view(), "/window/taken"), 0);
}

CAF_TEST(what was journaled gives the same state at any point of a life) {
  const char* given = std::getenv("TOBIT_TEST_SEED");
  const auto seed = given ? std::strtoul(given, nullptr, 10) : std::random_device{}();
  CAF_MESSAGE("TOBIT_TEST_SEED=" << seed);
  register_rule_messages();
  std::mt19937 random{static_cast<std::mt19937::result_type>(seed)};
  const json group{{"group_by", {"host"}}, {"max_keys", 5}};
  for (const auto& rule :
       {windowed({{"type", "tumbling"}, {"size_seconds", 10}, {"allowed_lateness_seconds", 5}},
                 {{"type", "std"}, {"field", "n"}, {"threshold", 3}}, group),
        windowed({{"type", "sliding"}, {"size_seconds", 60}}, {{"type", "avg"}, {"field", "n"}, {"threshold", 50}},
                 group),
        windowed({{"type", "session"}, {"gap_seconds", 3}},
                 {{"type", "percentile"}, {"percentile_value", 90}, {"field", "n"}, {"threshold", 3}}, group),
        windowed({{"type", "sliding"}, {"count", 6}}, {{"type", "distinct"}, {"field", "n"}, {"threshold", 3}}, group),
        windowed({{"type", "tumbling"}, {"size_seconds", 5}, {"time", "arrival"}, {"emit", "update"}},
                 {{"type", "rate"}, {"threshold", 0.5}}, group)}) {
    stand s{rule};
    auto other = start(rule);
    double at = 0;
    for (int i = 0; i < 400; ++i) {
      entity::decision d;
      if (random() % 8 == 0 && s.logic->wake_at()) {
        s.now = std::max(s.now, *s.logic->wake_at());
        at = static_cast<double>(to_micros(s.now) - start_us) / 1e6;
        d = s.tell(entity::wake_entity{});
      } else {
        at += static_cast<double>(random() % 20) / 10;
        const json n = random() % 10 ? json(random() % 100) : json("none");
        const double late = random() % 5 ? 0 : static_cast<double>(random() % 10);
        d = s.push(at - late, {{"host", random() % 8}, {"n", n}});
      }
      for (const auto& e : d.events) other->apply(decode_message(e.name(), e.encode()).value());
      if (random() % 20 == 0) {
        const auto kept = other->snapshot();
        other = start(rule);
        CAF_REQUIRE(other->restore(kept).has_value());
      }
      if (other->snapshot() != s.logic->snapshot()) CAF_FAIL("after " << i << " of " << rule["trigger_spec"]);
      for (const auto& e : d.events)
        if (e.as<inputs_taken>()) other->apply(e); // what the state holds is not taken again
    }
  }
}
