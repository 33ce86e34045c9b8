#define CAF_SUITE alert_table

#include "actors/rule/alert/alert_table.hpp"

#include <caf/test/unit_test.hpp>

#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <sstream>

using namespace tobit;
using namespace tobit::rule;

namespace {

constexpr std::int64_t start_us = 1'800'000'000'000'000;
constexpr std::int64_t second = 1'000'000;

json section(json written, std::string_view type = "event") {
  verdict v;
  auto out = read_alert(v, written, type, {{"field", "state"}});
  if (!v.good()) throw std::runtime_error(v.problem().pointer + ": " + v.problem().message);
  return out;
}

alert_terms terms(json written, std::int64_t keys_max = 10'000) {
  written["max_keys"] = keys_max;
  auto out = alert_terms::of({{"alert", section(std::move(written))}});
  return std::move(*out);
}

key_verdict said(std::string key, bool matched, double value = 0) {
  key_verdict v;
  v.key = std::move(key);
  v.verdict.matched = matched;
  v.verdict.value = number::of(value);
  v.verdict.references = {{"actual", value}};
  v.verdict.summary = "value is " + std::to_string(value);
  return v;
}

/// A table whose time is wound on by hand, with what it journaled.
struct wound_table {
  explicit wound_table(json section_written, std::int64_t most = 10'000)
      : written(std::move(section_written)), keys_max(most), table(terms(written, keys_max), "r1", 7) {}

  std::vector<alert_change> until(std::int64_t us) {
    std::vector<alert_change> out;
    for (auto due = table.wake_at(); due && to_micros(*due) <= us; due = table.wake_at()) {
      now_us = std::max(now_us, to_micros(*due));
      table.advance(at(), out);
      journal();
    }
    now_us = us;
    return out;
  }
  void take(const key_verdict& v, std::vector<alert_change>& out) {
    table.take(v, nullptr, at(), out);
    journal();
  }
  void journal() {
    if (auto moves = table.drain_moves(); !moves.empty()) moved.push_back(*parse_json(moves));
  }
  alert_moment at() const { return {from_micros(now_us), "x1", "t1"}; }
  alert_table fresh() const { return {terms(written, keys_max), "r1", 7}; }

  json written;
  std::int64_t keys_max;
  alert_table table;
  std::int64_t now_us = start_us;
  std::vector<json> moved;
};

/// Lines of `seconds verb expected`: verbs are match, miss, pass, error or =VALUE (matches above 90); expected is what
/// is told until then, separated by commas, or -.
std::string play(wound_table& t, const std::string& timeline) {
  std::istringstream lines(timeline);
  std::int64_t seconds = 0;
  std::string verb, expected;
  while (lines >> seconds >> verb >> expected) {
    auto told = t.until(start_us + seconds * second);
    if (verb[0] == '=') {
      const auto value = std::stod(verb.substr(1));
      t.take(said("k", value > 90, value), told);
    } else if (verb == "error") {
      auto v = said("k", false);
      v.verdict.error = "no value";
      t.take(v, told);
    } else if (verb != "pass") {
      t.take(said("k", verb == "match"), told);
    }
    std::string seen;
    for (const auto& change : told) {
      if (!seen.empty()) seen += ',';
      seen += std::string(change.status) + (change.record.flapping ? "!" : "");
    }
    if (seen.empty()) seen = "-";
    if (seen != expected) return "at " + std::to_string(seconds) + " s: expected " + expected + ", was told " + seen;
  }
  return {};
}
std::string play(json written, const std::string& timeline) {
  wound_table t{std::move(written)};
  return play(t, timeline);
}

} // namespace

CAF_TEST(an alert fires at once and once and resolves when it does not match any more) {
  CAF_CHECK_EQUAL(play({}, "0 miss -  1 match firing  2 match -  3 error -  4 miss resolved  5 miss -  6 match firing"),
                  "");
}

CAF_TEST(with for an alert is pending first and comes to nothing if it stops matching) {
  CAF_CHECK_EQUAL(play({{"for_seconds", 60}}, "0 match pending  30 match -  50 miss inactive  51 match pending"
                                              " 100 match -  111 pass firing  120 match -  130 miss resolved"),
                  "");
}

CAF_TEST(an alert that nothing matches any more resolves after its time) {
  CAF_CHECK_EQUAL(play({{"resolve_after_seconds", 100}}, "0 match firing  90 match -  180 match -  279 pass -"
                                                         " 280 pass resolved"),
                  "");
  CAF_CHECK_EQUAL(play({{"for_seconds", 60}, {"resolve_after_seconds", 20}}, "0 match pending  20 pass inactive"), "");
  CAF_CHECK_EQUAL(play({{"resolve_after_seconds", 0}}, "0 match firing  100000 pass -"), "");
}

CAF_TEST(between two thresholds an alert neither fires nor resolves) {
  const json terms{{"clear", {{"op", "<"}, {"threshold", 80}}}, {"resolve_after_seconds", 0}};
  CAF_CHECK_EQUAL(
      play(terms, "0 =85 -  1 =95 firing  2 =85 -  3 =91 -  4 =80 -  5 =79 resolved  6 =85 -  7 =95 firing"), "");
}

CAF_TEST(a clear condition looks at what the verdict is about) {
  wound_table t{{{"clear", {{"field", "state"}, {"op", "=="}, {"value", "ok"}}}, {"resolve_after_seconds", 0}}};
  std::vector<alert_change> told;
  t.take(said("k", true), told);
  const json bad{{"state", "degraded"}}, good{{"state", "ok"}};
  const auto seen_bad = subject::of(bad), seen_good = subject::of(good);
  t.table.take(said("k", false), &seen_bad, t.at(), told);
  CAF_CHECK_EQUAL(told.size(), 1u);
  t.table.take(said("k", false), nullptr, t.at(), told);
  CAF_CHECK_EQUAL(told.size(), 1u);
  t.table.take(said("k", false), &seen_good, t.at(), told);
  CAF_REQUIRE_EQUAL(told.size(), 2u);
  CAF_CHECK_EQUAL(told[1].status, "resolved");
}

CAF_TEST(an alert keeps firing for a while after it cleared) {
  CAF_CHECK_EQUAL(play({{"keep_firing_seconds", 60}},
                       "0 match firing  10 miss -  30 match -  40 miss -  99 miss -  100 pass resolved"),
                  "");
}

CAF_TEST(within its cooldown an alert does not fire again but after it if it still matches) {
  CAF_CHECK_EQUAL(play({{"cooldown_seconds", 100}}, "0 match firing  10 miss resolved  20 match pending  30 match -"
                                                    " 109 match -  110 pass firing  120 miss resolved"
                                                    " 130 match pending  140 miss inactive  221 match firing"),
                  "");
}

CAF_TEST(a rule fires at most so often in an hour and the rest waits) {
  wound_table t{{{"max_per_hour", 2}, {"resolve_after_seconds", 0}}};
  std::vector<alert_change> told;
  for (auto key : {"a", "b", "c", "d", "e"}) t.take(said(key, true), told);
  std::map<std::string, int> seen;
  for (const auto& change : told) ++seen[std::string(change.status)];
  CAF_CHECK_EQUAL(seen["firing"], 2);
  CAF_CHECK_EQUAL(seen["pending"], 3);
  CAF_CHECK_EQUAL(t.until(start_us + 3'599 * second).size(), 0u);
  CAF_CHECK_EQUAL(t.until(start_us + 3'600 * second).size(), 2u);
  CAF_CHECK_EQUAL(t.until(start_us + 7'199 * second).size(), 0u);
  CAF_CHECK_EQUAL(t.until(start_us + 7'200 * second).size(), 1u);
  CAF_CHECK_EQUAL(t.table.view().value("held_back", std::int64_t{-1}), 3);
}

CAF_TEST(an alert that changes too often is marked and held until it calms) {
  const json terms{{"flapping", {{"window_seconds", 60}, {"changes", 4}}}, {"resolve_after_seconds", 0}};
  CAF_CHECK_EQUAL(play(terms, "0 match firing  5 miss resolved  10 match firing  15 miss firing!  20 match -  25 miss -"
                              " 30 match -  60 pass -  74 pass -  75 pass firing  80 miss resolved"),
                  "");
  CAF_CHECK_EQUAL(play(terms, "0 match firing  5 miss resolved  10 match firing  15 miss firing!  59 pass -"
                              " 60 pass resolved"),
                  "");
  CAF_CHECK_EQUAL(play({{"flapping", false}, {"resolve_after_seconds", 0}},
                       "0 match firing 1 miss resolved 2 match firing 3 miss resolved 4 match firing 5 miss resolved"
                       " 6 match firing 7 miss resolved 8 match firing 9 miss resolved 10 match firing"),
                  "");
}

CAF_TEST(an alert keeps its id from pending to resolved and the next one has another) {
  wound_table t{{{"for_seconds", 10}}};
  std::vector<alert_change> told;
  t.take(said("k", true), told);
  for (auto& change : t.until(start_us + 10 * second)) told.push_back(change);
  t.take(said("k", false), told);
  t.now_us += second;
  t.take(said("k", true), told);
  CAF_REQUIRE_EQUAL(told.size(), 4u);
  CAF_CHECK_EQUAL(told[0].record.alert_id, told[2].record.alert_id);
  CAF_CHECK_EQUAL(told[0].record.alert_id.size(), 36u);
  CAF_CHECK(told[3].record.alert_id != told[2].record.alert_id);
  CAF_CHECK_EQUAL(told[0].record.change, 1);
  CAF_CHECK_EQUAL(told[1].record.change, 2);
  CAF_CHECK_EQUAL(told[2].record.change, 3);
  CAF_CHECK_EQUAL(told[3].record.change, 1);
}

CAF_TEST(far too many keys fill the table and then are refused and counted) {
  wound_table t{{{"resolve_after_seconds", 0}}, 1'000};
  std::vector<alert_change> told;
  for (int i = 0; i < 100'000; ++i) t.table.take(said(std::to_string(i), true), nullptr, t.at(), told);
  CAF_CHECK_EQUAL(told.size(), 1'000u);
  CAF_CHECK_EQUAL(t.table.size(), 1'000u);
  CAF_CHECK_EQUAL(t.table.view().value("refused", std::int64_t{-1}), 99'000);
}

CAF_TEST(a resolved key makes room for a new one) {
  wound_table t{{{"resolve_after_seconds", 0}, {"cooldown_seconds", 600}}, 2};
  std::vector<alert_change> told;
  t.take(said("a", true), told);
  t.take(said("b", true), told);
  t.take(said("a", false), told);
  t.take(said("c", true), told);
  CAF_CHECK(!t.table.find("a"));
  CAF_CHECK(t.table.find("c"));
  CAF_CHECK_EQUAL(t.table.view().value("evicted", std::int64_t{-1}), 1);
}

CAF_TEST(a clock that is set back keeps what is left of every time) {
  wound_table t{{{"for_seconds", 60}, {"resolve_after_seconds", 0}}};
  std::vector<alert_change> told;
  t.take(said("k", true), told);
  t.now_us += 30 * second - 3'600 * second; // half a minute later the clock is set back by an hour
  t.take(said("k", true), told);
  const auto due = t.table.wake_at();
  CAF_REQUIRE(due.has_value());
  const auto left = to_micros(*due) - t.now_us;
  CAF_CHECK(left > 0 && left <= 60 * second);
}

CAF_TEST(retired alerts are resolved with the reason and nothing is taken meanwhile) {
  wound_table t{{{"for_seconds", 10}}};
  std::vector<alert_change> told;
  t.take(said("a", true), told);
  t.until(start_us + 10 * second);
  t.take(said("b", true), told);
  told.clear();
  t.table.retire("the rule was disabled");
  t.take(said("c", true), told);
  CAF_CHECK(told.empty());
  auto copy = t.fresh();
  copy.restore(*parse_json(t.table.snapshot()));
  CAF_CHECK(copy.retiring());
  for (auto* table : {&t.table, &copy}) {
    told.clear();
    CAF_REQUIRE(table->wake_at().has_value());
    table->advance(t.at(), told);
    CAF_REQUIRE_EQUAL(told.size(), 2u);
    CAF_CHECK_EQUAL(told[0].status, "resolved");
    CAF_CHECK_EQUAL(told[0].reason, "the rule was disabled");
    CAF_CHECK_EQUAL(told[1].status, "inactive");
    CAF_CHECK(!table->wake_at().has_value());
  }
}

CAF_TEST(alerts of another trigger begin to retire when they are restored) {
  wound_table t{json::object()};
  std::vector<alert_change> told;
  t.take(said("a", true), told);
  alert_table other{terms({}), "r1", 8};
  other.restore(*parse_json(t.table.snapshot()));
  CAF_CHECK(other.retiring());
}

CAF_TEST(the section is checked) {
  const auto refused = [](json written, std::string_view type = "event") {
    verdict v;
    read_alert(v, written, type, json::object());
    return v.good() ? std::string{} : v.problem().pointer;
  };
  CAF_CHECK_EQUAL(refused({{"for_seconds", -1}}), "/alert/for_seconds");
  CAF_CHECK_EQUAL(refused({{"for_second", 1}}), "/alert/for_second");
  CAF_CHECK_EQUAL(refused({{"flapping", {{"changes", 1}}}}), "/alert/flapping/changes");
  CAF_CHECK_EQUAL(refused({{"clear", {{"op", "~"}, {"threshold", 1}}}}), "/alert/clear/op");
  CAF_CHECK_EQUAL(refused({{"clear", 5}}), "/alert/clear");
  CAF_CHECK_EQUAL(refused({{"resolve_after_seconds", 0}}, "schedule"), "/alert/resolve_after_seconds");
  CAF_CHECK_EQUAL(refused("yes"), "/alert");
  CAF_CHECK_EQUAL(refused(true), "");
  // Normalising again changes nothing.
  const auto once = section({{"clear", {{"field", "a"}, {"op", "="}, {"value", 1}}}, {"flapping", false}});
  CAF_CHECK(section(once) == once);
}

CAF_TEST(random verdicts never fire an alert twice and replay gives the same state) {
  const auto given = std::getenv("TOBIT_TEST_SEED");
  const auto seed = given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  CAF_MESSAGE("TOBIT_TEST_SEED=" << seed);
  std::mt19937_64 random{seed};
  const auto upto = [&](std::int64_t n) { return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n)); };
  for (int round = 0; round < 40; ++round) {
    json written{{"for_seconds", upto(3) * 5},       {"keep_firing_seconds", upto(2) * 7},
                 {"cooldown_seconds", upto(3) * 10}, {"resolve_after_seconds", upto(3) * 20},
                 {"max_per_hour", upto(4) * 3},      {"flapping", {{"window_seconds", 30}, {"changes", upto(2) * 4}}}};
    wound_table t{written, 1 + upto(6)};
    std::map<std::string, std::string> standing; // by alert id
    std::map<std::string, std::int64_t> changes;
    auto middle = t.table.snapshot();
    std::size_t moves_at_middle = 0;
    for (int step = 0; step < 200; ++step) {
      auto told = t.until(t.now_us + upto(10) * second);
      if (upto(50) == 0) t.now_us -= upto(100) * second; // an unsteady clock
      t.take(said("k" + std::to_string(upto(8)), upto(3) != 0, static_cast<double>(upto(100))), told);
      for (const auto& change : told) {
        auto& before = standing[change.record.alert_id];
        if (change.status == "firing" && !change.record.flapping && change.reason == "fires")
          CAF_CHECK(before.empty() || before == "pending");
        if (change.status == "resolved") CAF_CHECK_EQUAL(before, "firing");
        if (change.status == "inactive") CAF_CHECK_EQUAL(before, "pending");
        CAF_CHECK_EQUAL(change.record.change, changes[change.record.alert_id] + 1);
        before = change.status;
        changes[change.record.alert_id] = change.record.change;
      }
      if (step == 100) {
        middle = t.table.snapshot();
        moves_at_middle = t.moved.size();
      }
    }
    const auto end = t.table.snapshot();
    auto replayed = t.fresh(), resumed = t.fresh();
    for (const auto& moves : t.moved) {
      replayed.apply(moves);
      replayed.apply(moves); // twice is as good as once
    }
    resumed.restore(*parse_json(middle));
    for (std::size_t i = moves_at_middle; i < t.moved.size(); ++i) resumed.apply(t.moved[i]);
    CAF_REQUIRE_EQUAL(replayed.snapshot(), end);
    CAF_REQUIRE_EQUAL(resumed.snapshot(), end);
    CAF_REQUIRE(replayed.wake_at() == t.table.wake_at());
    auto copy = t.fresh();
    copy.restore(*parse_json(end));
    CAF_REQUIRE_EQUAL(copy.snapshot(), end);
  }
}
