#define CAF_SUITE pattern_oracle

#include "tests/unit/rule/pattern/pattern_samples.hpp"
#include "tests/unit/rule/pattern/reference_matcher.hpp"

#include <caf/test/unit_test.hpp>

#include <cstdlib>
#include <iostream>
#include <map>
#include <random>

using namespace tobit;
using namespace tobit::rule;
using namespace tobit::rule::pattern;
using namespace tobit::rule::pattern::samples;

namespace {

class chance {
public:
  explicit chance(std::uint64_t seed) : random_(seed) {}
  int below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  bool one_in(int n) { return below(n) == 0; }

private:
  std::mt19937_64 random_;
};

std::uint64_t seed_of_run() {
  const auto* given = std::getenv("TOBIT_TEST_SEED");
  const auto seed = given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "seed " << seed << " (set TOBIT_TEST_SEED to repeat)" << std::endl;
  return seed;
}

json random_element(chance& c, std::vector<std::string>& names, const std::vector<std::string>& earlier) {
  json out{{"name", std::string(1, static_cast<char>('a' + names.size()))}};
  out["types"] = json::array({std::string(1, static_cast<char>('A' + c.below(4)))});
  if (c.one_in(5)) out["types"].push_back(std::string(1, static_cast<char>('A' + c.below(4))));
  if (!earlier.empty() && c.one_in(4)) {
    const char* ops[] = {"==", ">", "<=", "!="};
    out["field"] = "v";
    out["op"] = ops[c.below(4)];
    out["ref"] =
        earlier[static_cast<std::size_t>(c.below(static_cast<int>(earlier.size())))] + (c.one_in(3) ? ".last.v" : ".v");
  }
  names.push_back(out["name"].get<std::string>());
  return out;
}

/// May make no sense; the compile step decides.
json random_pattern(chance& c) {
  json spec{{"within_seconds", 3 + c.below(15)}, {"group_by", json::array({"k"})}, {"steps", json::array()}};
  std::vector<std::string> names, earlier;
  const int count = 1 + c.below(5);
  for (int i = 0; i < count; ++i) {
    json step;
    const auto before = names.size();
    const bool absent = c.one_in(4);
    if (!absent && c.one_in(6)) {
      const char* group = c.one_in(2) ? "all_of" : "any_of";
      for (int m = 2 + c.below(2); m > 0; --m) step[group].push_back(random_element(c, names, earlier));
    } else {
      step = random_element(c, names, earlier);
    }
    if (absent) {
      step["absent"] = true;
      if ((i == 0 || i + 1 == count) && c.one_in(2)) step["within_seconds"] = 1 + c.below(8);
    } else {
      if (!step.contains("all_of") && c.one_in(3)) {
        step["min"] = 1 + c.below(3);
        step["max"] = step["min"].get<int>() + (i + 1 == count ? 0 : c.below(3));
      }
      if (i > 0 && c.one_in(4)) step["within_seconds"] = 1 + c.below(6);
      earlier.insert(earlier.end(), names.begin() + static_cast<std::ptrdiff_t>(before), names.end());
    }
    spec["steps"].push_back(std::move(step));
  }
  spec["contiguity"] = c.one_in(4) ? "strict" : "relaxed";
  spec["start"] = c.one_in(4) ? "first" : "every";
  spec["after_match"] = c.one_in(2) ? "no_skip" : "skip_past_last_event";
  return spec;
}

/// A pattern that is accepted.
json good_pattern(chance& c) {
  for (;;) {
    auto spec = random_pattern(c);
    if (compile(rule_with("pattern", spec))) return spec;
  }
}

std::vector<plain_event> random_events(chance& c, int count) {
  std::vector<plain_event> out;
  std::int64_t at = 0;
  for (int i = 0; i < count; ++i) {
    at += c.one_in(3) ? 0 : c.below(3);
    out.push_back({static_cast<char>('A' + c.below(5)), at, c.below(2), c.below(3)});
  }
  return out;
}

event::event to_event(const plain_event& p, std::size_t id) {
  return pattern::samples::to_event(
      {std::string(1, p.type), static_cast<double>(p.at), "", {{"k", p.key}, {"v", p.value}}}, id);
}

/// As the reference tells matches.
std::vector<std::string> told_like_reference(const std::vector<key_verdict>& verdicts) {
  std::map<int, std::vector<std::string>> keys;
  const auto seconds = [](const json& time) {
    return std::to_string((parse_rfc3339(time.get<std::string>()).value() - beginning).count() / second);
  };
  for (const auto& verdict : verdicts) {
    std::vector<int> ids;
    for (const auto& [name, step] : verdict.woken_by.items())
      if (step.is_object())
        for (const auto& e : step["events"]) ids.push_back(std::stoi(e["id"].get<std::string>()));
    std::sort(ids.begin(), ids.end());
    const auto key = verdict.labels["k"].get<int>();
    auto text = std::to_string(key) + " " + seconds(verdict.woken_by["started_at"]) + "-" +
                seconds(verdict.woken_by["ended_at"]) + ":";
    for (const auto id : ids) text += " " + std::to_string(id);
    keys[key].push_back(std::move(text));
  }
  std::vector<std::string> out;
  for (auto& [key, own] : keys) out.insert(out.end(), own.begin(), own.end());
  return out;
}

std::string shown(const json& spec, const std::vector<plain_event>& events) {
  std::string out = spec.dump() + "\n  ";
  for (std::size_t i = 0; i < events.size(); ++i)
    out += std::to_string(i + 1) + ":" + events[i].type + std::to_string(events[i].key) +
           std::to_string(events[i].value) + "@" + std::to_string(events[i].at) + " ";
  return out;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const auto& text : texts) out += "\n    " + text;
  return out;
}

} // namespace

CAF_TEST(patterns match exactly what the naive reference matches) {
  chance c{seed_of_run()};
  std::size_t matches = 0;
  for (int round = 0; round < 300; ++round) {
    const auto spec = good_pattern(c);
    const auto events = random_events(c, 40);
    timeline t{spec};
    for (std::size_t i = 0; i < events.size(); ++i) t.show(to_event(events[i], i + 1));
    t.advance(10'000);
    const auto expected = reference_matches(t.definition["trigger_spec"], events);
    const auto found = told_like_reference(t.verdicts);
    matches += expected.size();
    if (found != expected)
      CAF_FAIL(shown(spec, events) << "\n  expected:" << joined(expected) << "\n  found:" << joined(found));
    if (t.view()["partial_matches"] != 0) CAF_FAIL(shown(spec, events) << " leaves matches behind");
  }
  CAF_CHECK(matches > 150);
}

CAF_TEST(snapshots and records bring the same state and the same matches about) {
  chance c{seed_of_run()};
  for (int round = 0; round < 100; ++round) {
    auto spec = good_pattern(c);
    if (c.one_in(2)) spec["allowed_lateness_seconds"] = 1 + c.below(4);
    auto events = random_events(c, 40);
    for (auto& e : events) e.at += c.below(4); // out of order, and without allowed lateness some are late
    timeline live{spec}, restored{spec};
    const auto replayed = live.fresh();
    for (std::size_t i = 0; i < events.size(); ++i) {
      const auto e = to_event(events[i], i + 1);
      live.show(e);
      restored.show(e);
      if (c.one_in(10)) {
        const auto at = static_cast<double>((live.now - beginning).count() / second);
        live.advance(at + 1);
        restored.advance(at + 1);
      }
      if (!c.one_in(4)) continue;
      auto again = live.fresh();
      if (const auto read = again->restore(restored.of->snapshot()); !read) CAF_FAIL(read.error().message);
      restored.of = std::move(again);
      if (const auto record = live.of->drain_record(); !record.is_null()) replayed->replay(json::parse(record.dump()));
      // The watermark alone is not recorded each time; everything else is equal at once.
      auto mine = json::parse(live.of->snapshot()), other = json::parse(replayed->snapshot());
      for (auto name : {"w", "passed"}) mine.erase(name), other.erase(name);
      if (mine != other) CAF_FAIL(shown(spec, events) << "\n  live     " << mine << "\n  replayed " << other);
      if (live.of->snapshot() != restored.of->snapshot()) CAF_FAIL(shown(spec, events) << " after event " << i + 1);
    }
    live.advance(10'000);
    restored.advance(10'000);
    if (told_like_reference(live.verdicts) != told_like_reference(restored.verdicts))
      CAF_FAIL(shown(spec, events) << "\n  live:" << joined(told_like_reference(live.verdicts))
                                   << "\n  restored:" << joined(told_like_reference(restored.verdicts)));
  }
}

CAF_TEST(events that are out of order by less than the allowed lateness match as if they were not ) {
  chance c{seed_of_run()};
  for (int round = 0; round < 100; ++round) {
    auto spec = good_pattern(c);
    const auto events = random_events(c, 40);
    spec["allowed_lateness_seconds"] = 5;
    // Each arrives up to four seconds after it happened; what arrives together keeps its order.
    std::vector<std::pair<std::int64_t, std::size_t>> arrivals;
    for (std::size_t i = 0; i < events.size(); ++i) arrivals.emplace_back(events[i].at * 10 + c.below(40), i);
    for (std::size_t i = 1; i < arrivals.size(); ++i) // equal times are told apart by their arrival
      if (events[i].at == events[i - 1].at) arrivals[i].first = std::max(arrivals[i].first, arrivals[i - 1].first);
    std::stable_sort(arrivals.begin(), arrivals.end());
    timeline t{spec};
    for (const auto& [at, i] : arrivals) t.show(to_event(events[i], i + 1));
    t.advance(10'000);
    const auto expected = reference_matches(t.definition["trigger_spec"], events);
    const auto found = told_like_reference(t.verdicts);
    if (found != expected)
      CAF_FAIL(shown(spec, events) << "\n  expected:" << joined(expected) << "\n  found:" << joined(found));
  }
}
