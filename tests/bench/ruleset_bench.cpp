// Rules that remember, and many rules on one stream, in process and on one thread. What is measured is whole decisions
// as the runtime asks for them: filters, conditions, windows, the journal's record of what was taken.
#include "actors/event/interest_index.hpp"
#include "actors/rule/rule_kind.hpp"
#include "schemas/entity/interest_spec.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

using namespace tobit;
using namespace tobit::rule;

namespace {

constexpr std::size_t batch_events = 256; ///< as the event router sends them
constexpr std::size_t stream_events = 200'000;
constexpr std::size_t hosts = 1'000;
constexpr int rounds = 5;
constexpr std::int64_t start_us = 1'800'000'000'000'000;

using body = std::shared_ptr<const event::event>;

/// Readings of many hosts, a millisecond apart.
std::vector<body> stream() {
  std::vector<body> out;
  for (std::size_t i = 0; i < stream_events; ++i) {
    event::event e;
    e.id = std::to_string(i);
    e.source = "/fleet";
    e.type = "reading";
    e.time = from_micros(start_us + static_cast<std::int64_t>(i) * 1'000);
    e.data = {{"host", "host-" + std::to_string(i * 7919 % hosts)},
              {"value", static_cast<double>(i * 31 % 1'000) / 10},
              {"status", static_cast<int>(200 + i % 2)}};
    out.push_back(std::make_shared<const event::event>(std::move(e)));
  }
  return out;
}

std::unique_ptr<entity::entity_logic> start(const json& rule, const std::string& key = "bench") {
  static const rule_kind kind{{}};
  const entity_ref ref{"rule", tenant_id{"default"}, key};
  const auto compiled = kind.compile(ref, rule, nullptr);
  if (!compiled) {
    std::fprintf(stderr, "%s: %s\n", compiled.error().pointer.c_str(), compiled.error().message.c_str());
    std::exit(1);
  }
  return std::move(kind.instantiate(ref, 1, compiled->definition).value());
}

std::vector<message> batches_of(const std::vector<body>& events) {
  std::vector<message> out;
  for (std::size_t i = 0; i < events.size();) {
    evaluate_events batch;
    for (; i < events.size() && batch.events.size() < batch_events; ++i) batch.events.push_back({i, events[i]});
    out.push_back(message::of(std::move(batch)));
  }
  return out;
}

/// The stream through a fresh rule; the best of some rounds.
void measure(const char* name, const json& rule, const std::vector<message>& batches, const char* target) {
  const auto context = new_call(system_identity(tenant_id{"default"}));
  double best = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto logic = start(rule);
    const auto begin = std::chrono::steady_clock::now();
    std::int64_t clock = start_us;
    for (const auto& batch : batches) {
      clock += batch_events * 1'000;
      const auto decided = logic->decide(batch, {from_micros(clock), context, "decision"});
      for (const auto& e : decided->events) logic->apply(e);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    best = std::max(best, static_cast<double>(stream_events) / took.count());
  }
  std::printf("bench %s %.0f /s more %s\n", name, best, target);
}

json rule_over(json spec) {
  spec["types"] = {"reading"};
  return {{"rule_name", "bench"},
          {"trigger_type", "event"},
          {"trigger_spec", std::move(spec)},
          {"action_spec", {{"type", "store"}}}};
}

double resident_kib() {
  std::ifstream in{"/proc/self/statm"};
  double total = 0, resident = 0;
  in >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1024;
}

/// 8,000 rules, each for one host and a limit of its own. `routed`: as rules are written, with the host as an equality
/// that the router looks up; otherwise each rule has to look at each event.
void measure_many(const std::vector<body>& events, bool routed) {
  constexpr std::size_t count = 8'000;
  const rule_kind kind{{}};
  event::interest_index index;
  std::vector<std::unique_ptr<entity::entity_logic>> rules;
  const auto before = resident_kib();
  for (std::size_t i = 0; i < count; ++i) {
    const auto host = "host-" + std::to_string(i % hosts);
    const json condition{{"logic", "AND"},
                         {"conditions",
                          {{{"field", "host"}, {"op", routed ? "==" : "contains"}, {"value", host}},
                           {{"field", "value"}, {"op", ">"}, {"value", 90 + static_cast<double>(i) / 1'000 + 100}}}}};
    const entity_ref ref{"rule", tenant_id{"default"}, std::to_string(i)};
    const auto compiled = kind.compile(ref, rule_over(condition), nullptr);
    rules.push_back(std::move(kind.instantiate(ref, 1, compiled->definition).value()));
    index.set(ref, 1, compiled->interests.at(0).spec.get<entity::event_interest>());
  }
  std::printf("bench %s memory %.1f KiB less 20\n", routed ? "8000 rules" : "8000 rules that all look",
              (resident_kib() - before) / static_cast<double>(count));
  const auto context = new_call(system_identity(tenant_id{"default"}));
  std::vector<std::vector<event::logged_event>> queued(count);
  std::vector<event::interest_index::slot> selected;
  const std::size_t taken = routed ? events.size() : 5'000;
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < taken; ++i) {
    index.wanting(tenant_id{"default"}, events[i]->type, events[i]->source)->select(events[i]->data, selected);
    for (const auto place : selected) queued[place].push_back({i, events[i]});
    if ((i + 1) % 10'000 != 0 && i + 1 != taken) continue;
    for (std::size_t r = 0; r < count; ++r) {
      if (queued[r].empty()) continue;
      const auto decided = rules[r]->decide(message::of(evaluate_events{0, std::move(queued[r])}),
                                            {from_micros(start_us), context, "d"});
      for (const auto& e : decided->events) rules[r]->apply(e);
      queued[r].clear();
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  if (routed)
    std::printf("bench 8000 rules on one stream %.0f /s more 20000\n", static_cast<double>(taken) / took.count());
  else
    std::printf("bench 8000 rules that all look at each event %.0f /s\n", static_cast<double>(taken) / took.count());
}

} // namespace

int main() {
  const auto events = stream();
  const auto batches = batches_of(events);
  measure("rule filter and keyed sum",
          rule_over({{"field", "status"},
                     {"op", "=="},
                     {"value", 200},
                     {"group_by", {"host"}},
                     {"window_config", {{"type", "tumbling"}, {"size_seconds", 60}}},
                     {"aggregation", {{"type", "sum"}, {"field", "value"}, {"threshold", 1e9}}}}),
          batches, "3000000");
  measure("rule keyed sliding average of a minute",
          rule_over({{"group_by", {"host"}},
                     {"window_config", {{"type", "sliding"}, {"size_seconds", 60}}},
                     {"aggregation", {{"type", "avg"}, {"field", "value"}, {"threshold", 1e9}}}}),
          batches, "500000");
  measure_many(events, true);
  measure_many(events, false);
}
