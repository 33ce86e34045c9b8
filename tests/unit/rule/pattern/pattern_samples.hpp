#pragma once

#include "actors/rule/pattern/pattern_evaluator.hpp"
#include "tests/unit/rule/rule_samples.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

/// Patterns and events that several suites use.
namespace tobit::rule::pattern::samples {

using rule::samples::compile;
using rule::samples::rule_with;

inline constexpr std::int64_t second = 1'000'000;
inline const utc_time beginning = from_micros(1'763'627'400'000'000);

/// One event of a timeline: a type, a time in seconds since the beginning, a key and a number.
struct moment {
  moment() = default;
  moment(std::string is, double seconds, std::string of_key = {}, json with = json::object())
      : type(std::move(is)), at(seconds), key(std::move(of_key)), data(std::move(with)) {}

  std::string type;
  double at = 0;
  std::string key;
  json data = json::object();
};

inline event::event to_event(const moment& m, std::size_t index) {
  event::event e;
  e.id = std::to_string(index);
  e.source = "/timeline";
  e.type = m.type;
  e.time = beginning + std::chrono::microseconds(std::llround(m.at * 1e6));
  e.data = m.data;
  if (!m.key.empty()) e.data["k"] = m.key;
  return e;
}

/// Throws what the compile step complains about.
inline json normalised(const json& trigger_spec, const json& action = nullptr) {
  auto compiled = compile(rule_with("pattern", trigger_spec, action));
  if (!compiled) throw std::runtime_error(compiled.error().pointer + ": " + compiled.error().message);
  return std::move(compiled->definition);
}

/// Feeds a pattern and collects what it says. Events arrive when they happen, unless a later one came before.
class timeline {
public:
  explicit timeline(const json& trigger_spec, const json& action = nullptr)
      : definition(normalised(trigger_spec, action)), of(fresh()) {}

  std::unique_ptr<pattern_evaluator> fresh() const {
    return std::make_unique<pattern_evaluator>(definition, std::chrono::seconds{0});
  }
  void take(const moment& m) { show(to_event(m, ++taken)); }
  void show(const event::event& e) {
    now = std::max(now, e.time);
    of->take({subject::of(e), e.time, now, &e}, verdicts);
  }
  void advance(double at) {
    now = std::max(now, beginning + std::chrono::microseconds(std::llround(at * 1e6)));
    of->advance(now, verdicts);
  }
  json view() const { return of->view().at("pattern"); }

  json definition;
  std::unique_ptr<pattern_evaluator> of;
  std::vector<key_verdict> verdicts;
  utc_time now = beginning;
  std::size_t taken = 0;
};

/// "A@0 B@5", with the key in front of each event; "[10]" behind it if the match ended at another time than its last
/// event.
inline std::string told(const key_verdict& verdict) {
  std::vector<std::pair<std::pair<utc_time, int>, std::string>> events; // in the order of time, then of arrival
  const auto key = verdict.labels.is_object() && verdict.labels["k"].is_string()
                       ? verdict.labels["k"].get<std::string>() + ":"
                       : std::string{};
  const auto seconds = [](utc_time t) {
    const auto micros = (t - beginning).count();
    return micros % second == 0 ? std::to_string(micros / second) : json(static_cast<double>(micros) / 1e6).dump();
  };
  utc_time last = beginning - std::chrono::hours{1};
  for (const auto& [name, step] : verdict.woken_by.items()) {
    if (!step.is_object() || !step.contains("events")) continue;
    for (const auto& e : step["events"]) {
      const auto time = parse_rfc3339(e["time"].get<std::string>()).value();
      last = std::max(last, time);
      events.emplace_back(std::pair{time, std::stoi(e["id"].get<std::string>())},
                          key + e["type"].get<std::string>() + "@" + seconds(time));
    }
  }
  std::sort(events.begin(), events.end());
  std::string out;
  for (const auto& [order, text] : events) out += (out.empty() ? "" : " ") + text;
  if (verdict.at != last) out += " [" + seconds(verdict.at) + "]";
  return out;
}

} // namespace tobit::rule::pattern::samples
