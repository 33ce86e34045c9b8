#define CAF_SUITE anomaly_rule

#include "schemas/rule/rule_events.hpp"
#include "tests/unit/rule/rule_samples.hpp"

#include <caf/test/unit_test.hpp>

#include <cmath>
#include <cstdlib>
#include <random>

using namespace tobit;
using namespace tobit::rule;
using namespace tobit::rule::samples;

namespace {

constexpr std::int64_t hour_us = 3'600'000'000;
constexpr std::int64_t start_us = 1'763'596'800'000'000; // a midnight, UTC

json unusual(json config, json more = json::object()) {
  json spec{{"types", {"reading"}}, {"value_path", "v"}, {"anomaly_config", std::move(config)}};
  spec.update(more);
  return rule_with("anomaly", spec, {{"type", "store"}, {"message", "{{host}}"}});
}

struct stand : bench {
  using bench::bench;
  std::uint64_t offset = 0;

  entity::decision push(json data, std::int64_t at_us = start_us) {
    event::event e;
    e.id = std::to_string(++offset);
    e.source = "/s";
    e.type = "reading";
    e.time = from_micros(at_us);
    e.data = std::move(data);
    return tell(evaluate_events{0, {{offset, std::make_shared<const event::event>(std::move(e))}}});
  }
  bool fires(json data, std::int64_t at_us = start_us) {
    const auto d = push(std::move(data), at_us);
    return d.reply.as<events_evaluated>()->matched > 0;
  }
  json seen(const char* pointer) const { return member(logic->view(), pointer); }
};

std::mt19937 seeded() {
  const char* given = std::getenv("TOBIT_TEST_SEED");
  const auto seed = given ? std::strtoul(given, nullptr, 10) : std::random_device{}();
  CAF_MESSAGE("TOBIT_TEST_SEED=" << seed);
  return std::mt19937{static_cast<std::mt19937::result_type>(seed)};
}

} // namespace

CAF_TEST(each group has a baseline of its own) {
  stand s{unusual({{"min_samples", 5}}, {{"group_by", {"host"}}})};
  for (int i = 0; i < 10; ++i) {
    CAF_CHECK(!s.fires({{"host", "small"}, {"v", 10 + i % 2}}));
    CAF_CHECK(!s.fires({{"host", "large"}, {"v", 1'000 + i % 2}}));
  }
  const auto odd = s.push({{"host", "small"}, {"v", 1'000}});
  CAF_CHECK_EQUAL(odd.reply.as<events_evaluated>()->matched, 1);
  CAF_CHECK_EQUAL(text_param(odd.statements.at(0), 8), "small");
  CAF_CHECK(!s.fires({{"host", "large"}, {"v", 1'000}}));
  CAF_CHECK(!s.fires({{"host", "new"}, {"v", 5}}));
  CAF_CHECK_EQUAL(s.seen("/anomaly/keys"), 3);
  CAF_CHECK_EQUAL(s.seen("/anomaly/groups/0/group/host"), "small");
}

CAF_TEST(an outage does not become normal but a new level does) {
  stand s{unusual({{"min_samples", 5}, {"shift_after", 8}})};
  for (int i = 0; i < 20; ++i) s.push({{"v", 10 + i % 3}});
  for (int i = 0; i < 7; ++i) CAF_CHECK(s.fires({{"v", 500 + i}}));
  CAF_CHECK_EQUAL(s.seen("/anomaly/baseline_count"), 20);
  CAF_CHECK(!s.fires({{"v", 11}})); // it was an outage
  for (int i = 0; i < 8; ++i) CAF_CHECK(s.fires({{"v", 500 + i % 3}}));
  CAF_CHECK_EQUAL(s.seen("/anomaly/level_shifts"), 1);
  CAF_CHECK(!s.fires({{"v", 501}}));
  CAF_CHECK(s.fires({{"v", 11}}));
  stand all{unusual({{"min_samples", 5}, {"exclude_anomalies", false}})};
  for (int i = 0; i < 20; ++i) all.push({{"v", 10 + i % 3}});
  all.push({{"v", 500}});
  CAF_CHECK_EQUAL(all.seen("/anomaly/baseline_count"), 21);
}

CAF_TEST(an hour of the day is judged by the same hour of other days in the zone of the rule) {
  auto rule = unusual({{"min_samples", 5}, {"seasonality", "hour_of_day"}});
  rule["timezone"] = "Asia/Seoul";
  stand s{rule};
  stand blind{unusual({{"min_samples", 5}})};
  const auto busy = [](int hour) { return hour % 24 >= 9 && hour % 24 < 18; };
  for (int hour = 0; hour < 24 * 8; ++hour) {
    const json data{{"v", (busy(hour + 9) ? 1'000 : 10) + hour % 7}};
    CAF_CHECK(!s.fires(data, start_us + hour * hour_us));
    blind.push(data, start_us + hour * hour_us);
  }
  const auto night = start_us + (24 * 9 + 15) * hour_us; // midnight in Seoul
  CAF_CHECK(s.fires({{"v", 1'000}}, night));
  CAF_CHECK(!blind.fires({{"v", 1'000}}, night));
}

CAF_TEST(a baseline can be forgotten as a whole or for one group) {
  stand s{unusual({{"min_samples", 2}}, {{"group_by", {"host"}}})};
  for (int i = 0; i < 6; ++i) s.push({{"host", i % 3}, {"v", i}});
  const auto one = s.tell(reset_baseline{{{"host", 1}}});
  CAF_CHECK_EQUAL(one.reply.as<baseline_reset>()->groups, 1);
  CAF_REQUIRE_EQUAL(one.statements.size(), 1u);
  CAF_CHECK(one.statements[0].sql.find("audit_log") != std::string_view::npos);
  CAF_CHECK_EQUAL(s.seen("/anomaly/keys"), 2);
  const auto refused = s.logic->decide(message::of(reset_baseline{{{"host", 77}}}), {s.now, s.context, "d"});
  CAF_CHECK(!refused && refused.error().code == error_code::not_found);
  CAF_CHECK_EQUAL(s.ask<baseline_reset>(reset_baseline{}).groups, 2);
  CAF_CHECK_EQUAL(s.seen("/anomaly/baseline_count"), 0);
  bench plain{hot()};
  const auto other = plain.logic->decide(message::of(reset_baseline{}), {s.now, s.context, "d"});
  CAF_CHECK(!other && other.error().code == error_code::conflict);
}

CAF_TEST(a flood of groups stays within the bound) {
  stand s{unusual({{"min_samples", 2}}, {{"group_by", {"host"}}, {"max_keys", 50}})};
  for (int i = 0; i < 1'000; ++i) s.push({{"host", i}, {"v", i}});
  CAF_CHECK_EQUAL(s.seen("/anomaly/keys"), 50);
  CAF_CHECK_EQUAL(s.seen("/anomaly/keys_evicted"), 950);
}

CAF_TEST(what was learned is the same after a replay at any point of a life) {
  register_rule_messages();
  auto random = seeded();
  for (const auto& rule : {unusual({{"min_samples", 4}, {"baseline_max", 15}, {"shift_after", 4}},
                                   {{"group_by", {"host"}}, {"max_keys", 5}}),
                           unusual({{"min_samples", 4}, {"seasonality", "hour_of_week"}}, {{"anomaly_method", "iqr"}}),
                           unusual({{"min_samples", 4}}, {{"anomaly_method", "ema"}})}) {
    stand s{rule};
    auto other = start(rule);
    for (int i = 0; i < 300; ++i) {
      entity::decision d;
      if (random() % 60 == 0)
        d = s.tell(reset_baseline{});
      else
        d = s.push({{"host", random() % 8}, {"v", random() % 10 ? random() % 20 : random() % 2'000}},
                   start_us + static_cast<std::int64_t>(random() % 300) * hour_us);
      for (const auto& e : d.events) other->apply(decode_message(e.name(), e.encode()).value());
      if (random() % 20 == 0) {
        const auto kept = other->snapshot();
        other = start(rule);
        CAF_REQUIRE(other->restore(kept).has_value());
      }
      if (other->snapshot() != s.logic->snapshot()) CAF_FAIL("after " << i << " of " << rule["trigger_spec"]);
    }
  }
}

CAF_TEST(a baseline of an earlier release is taken over) {
  const auto rule = unusual({{"min_samples", 3}});
  stand s{rule};
  s.logic->apply(message::of(baseline_grown{{1, 2, 3}}));
  CAF_CHECK_EQUAL(s.seen("/anomaly/baseline_count"), 3);
  CAF_CHECK_EQUAL(s.seen("/anomaly/baseline_summary/mean"), 2.0);
}

// Series with known anomalies, as the benchmark of Numenta has them: noise with spikes, a day's rhythm with spikes,
// slow noise. An anomaly counts as found if it is noticed within its window; what is noticed outside of one is false.
CAF_TEST(the detectors find what was hidden in synthetic series) {
  struct score {
    int hidden = 0, found = 0, false_alarms = 0, points = 0;
  };
  for (const auto& [method, seasonality] : std::vector<std::pair<const char*, const char*>>{
           {"zscore", "none"}, {"iqr", "none"}, {"ema", "none"}, {"zscore", "hour_of_day"}, {"iqr", "hour_of_day"}}) {
    score flat, daily;
    for (unsigned series = 1; series <= 4; ++series) {
      std::mt19937 random{series};
      std::normal_distribution<double> noise{0, 1};
      const bool rhythm = series % 2 == 0;
      auto& mine = rhythm ? daily : flat;
      json config{{"seasonality", seasonality}};
      config[method == std::string("iqr") ? "multiplier" : "threshold"] = method == std::string("iqr") ? 3.0 : 5.0;
      stand s{unusual(config, {{"anomaly_method", method}})};
      int open = 0;
      bool found = false;
      for (int i = 0; i < 1'000; ++i) { // a point every 15 minutes
        const auto at = start_us + i * hour_us / 4;
        if (open == 0 && i > 600 && i % 50 == 25) open = 4, found = false, ++mine.hidden;
        double v = 100 + 2 * noise(random);
        if (rhythm) v += 40 * std::sin(2 * 3.14159265358979 * i / 96);
        if (open > 0) v += 30;
        const bool noticed = s.fires({{"v", v}}, at);
        ++mine.points;
        if (open > 0) {
          if (noticed && !found) found = true, ++mine.found;
          --open;
        } else {
          mine.false_alarms += noticed;
        }
      }
    }
    CAF_MESSAGE(method << " " << seasonality << ": noise found " << flat.found << "/" << flat.hidden << ", false "
                       << flat.false_alarms << "/" << flat.points << "; daily rhythm found " << daily.found << "/"
                       << daily.hidden << ", false " << daily.false_alarms << "/" << daily.points);
    CAF_CHECK_EQUAL(flat.found, flat.hidden);
    CAF_CHECK(flat.false_alarms * 200 < flat.points || method == std::string("ema"));
    if (seasonality != std::string("none")) CAF_CHECK(daily.found * 10 >= daily.hidden * 9);
  }
}
