// How fast patterns take events: keyed sequences, absences, references; snapshots and replay. One thread.
#include "actors/rule/pattern/pattern_evaluator.hpp"
#include "actors/rule/rule_kind.hpp"

#include <chrono>
#include <cstdio>
#include <functional>

using namespace tobit;
using namespace tobit::rule;

namespace {

constexpr std::size_t keys = 10'000;

json definition_of(const char* line, json where = json::object()) {
  json trigger{{"pattern", line}, {"max_keys", 20'000}, {"max_partial_matches", 50'000}};
  if (!where.empty()) trigger["where"] = std::move(where);
  const auto compiled = rule_kind{{}}.compile(
      {"rule", tenant_id{"t"}, "k"},
      {{"rule_name", "bench"}, {"trigger_type", "pattern"}, {"trigger_spec", std::move(trigger)}}, nullptr);
  if (!compiled) {
    std::fprintf(stderr, "%s: %s\n", compiled.error().pointer.c_str(), compiled.error().message.c_str());
    std::exit(1);
  }
  return compiled->definition;
}

/// Events of one type for each key; their times are set as they are shown.
std::vector<event::event> events_of(const char* type) {
  std::vector<event::event> out(keys);
  for (std::size_t i = 0; i < keys; ++i) {
    auto& e = out[i];
    e.id = "5f0c2a52-" + std::to_string(i);
    e.source = "/building/" + std::to_string(i % 100);
    e.type = type;
    e.data = {{"user", "user-" + std::to_string(i)}, {"amount", i % 500}, {"ip", "10.0.0.7"}};
  }
  return out;
}

class stream {
public:
  explicit stream(const json& definition) : of(definition) {}
  void show(event::event& e, std::int64_t step_us) {
    now_us += step_us;
    e.time = from_micros(now_us);
    of.take({subject::of(e), e.time, e.time, &e}, verdicts);
    matches += verdicts.size();
    verdicts.clear();
  }
  pattern::pattern_evaluator of;
  std::vector<key_verdict> verdicts;
  std::size_t matches = 0;
  std::int64_t now_us = 1'763'627'400'000'000;
};

/// Prints events a second, from the best of five rounds.
void measure(const char* name, const char* target, const std::function<std::size_t()>& round) {
  double best = 0;
  for (int i = 0; i < 5; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const auto events = round();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    best = std::max(best, static_cast<double>(events) / took.count());
  }
  std::printf("bench %s %.0f events/s%s\n", name, best, target);
}

} // namespace

int main() {
  auto a = events_of("login.failed"), b = events_of("login.succeeded"), other = events_of("page.read");

  // A for every key, then B for one key in ten: a match for every eleventh event, as seldom as alarms want to be.
  stream sequence{definition_of("fail=login.failed then ok=login.succeeded within 5m by user")};
  measure("two-step sequence, keyed, one match in 11 events", " more 500000", [&] {
    for (auto& e : a) sequence.show(e, 50);
    for (std::size_t i = 0; i < keys; i += 10) sequence.show(b[i], 50);
    (void)sequence.of.drain_record();
    return keys + keys / 10;
  });
  stream every{definition_of("fail=login.failed then ok=login.succeeded within 5m by user")};
  measure("two-step sequence, keyed, one match in 2 events", "", [&] {
    for (std::size_t i = 0; i < keys; ++i) {
      every.show(a[i], 50);
      every.show(b[i], 50);
    }
    (void)every.of.drain_record();
    return 2 * keys;
  });
  stream expiring{definition_of("fail=login.failed then ok=login.succeeded within 1s by user")};
  measure("two-step sequence, keyed, all expire", "", [&] {
    for (auto& e : a) expiring.show(e, 200);
    (void)expiring.of.drain_record();
    return keys;
  });
  stream idle{definition_of("fail=login.failed then ok=login.succeeded within 5m by user")};
  measure("two-step sequence, events of other types", "", [&] {
    for (int n = 0; n < 20; ++n)
      for (auto& e : other) idle.show(e, 50);
    return 20 * keys;
  });
  stream five{definition_of("fail=login.failed{5,} then ok=login.succeeded within 5m by user")};
  measure("five failures then success, keyed", "", [&] {
    for (int n = 0; n < 5; ++n)
      for (auto& e : a) five.show(e, 50);
    for (std::size_t i = 0; i < keys; i += 10) five.show(b[i], 50);
    (void)five.of.drain_record();
    return 5 * keys + keys / 10;
  });
  stream absent{definition_of("ask=login.failed and no answer=login.succeeded within 2s by user")};
  measure("absence, keyed, one in ten missing", "", [&] {
    for (std::size_t i = 0; i < keys; ++i) {
      absent.show(a[i], 50);
      if (i % 10 != 0) absent.show(b[i], 50);
    }
    (void)absent.of.drain_record();
    return keys + keys * 9 / 10;
  });
  stream referring{definition_of("a=login.failed then b=login.succeeded within 5m by user",
                                 {{"b", {{"field", "amount"}, {"op", ">="}, {"ref", "a.amount"}}}})};
  measure("two-step sequence with a reference, keyed", "", [&] {
    for (auto& e : a) referring.show(e, 50);
    for (std::size_t i = 0; i < keys; i += 10) referring.show(b[i], 50);
    (void)referring.of.drain_record();
    return keys + keys / 10;
  });

  stream held{definition_of("fail=login.failed then ok=login.succeeded within 5m by user")};
  for (auto& e : a) held.show(e, 50);
  const auto record = held.of.drain_record();
  const auto snapshot = held.of.snapshot();
  std::printf("bench snapshot of a match under way %.0f B\n", static_cast<double>(snapshot.size()) / keys);
  measure("matches restored from a snapshot", "", [&] {
    pattern::pattern_evaluator again{definition_of("fail=login.failed then ok=login.succeeded within 5m by user")};
    return again.restore(snapshot) ? keys : std::size_t{0};
  });
  measure("recorded events replayed", "", [&] {
    pattern::pattern_evaluator again{definition_of("fail=login.failed then ok=login.succeeded within 5m by user")};
    again.replay(record);
    return keys;
  });
  return sequence.matches > 0 && every.matches > 0 && absent.matches > 0 && referring.matches > 0 ? 0 : 1;
}
