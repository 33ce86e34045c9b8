// How fast rules judge: the verdict alone, the explained one, and whole decisions. One thread.
#include "actors/rule/condition.hpp"
#include "actors/rule/rule_kind.hpp"

#include <chrono>
#include <cstdio>
#include <functional>

using namespace tobit;
using namespace tobit::rule;

namespace {

event::event climate(int temperature) {
  event::event e;
  e.id = "e";
  e.source = "/building/1";
  e.type = "climate";
  e.data = {{"room", "server-1"}, {"temperature", temperature}, {"humidity", 40}, {"nested", {{"list", {1, 2, 3}}}}};
  return e;
}

/// Prints calls a second, from the best of five rounds of `rounds` calls.
void measure(const char* name, int rounds, const std::function<void(int)>& call) {
  double best = 0;
  for (int round = 0; round < 5; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < rounds; ++i) call(i);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    best = std::max(best, rounds / took.count());
  }
  std::printf("bench %s %.0f /s\n", name, best);
}

json leaf(const char* field, const char* op, json value) {
  return {{"field", field}, {"op", op}, {"value", std::move(value)}};
}

json rule_over(json trigger) {
  trigger["types"] = {"climate"};
  return {{"rule_name", "bench"},
          {"trigger_type", "event"},
          {"trigger_spec", std::move(trigger)},
          {"action_spec", {{"type", "store"}}}};
}

std::unique_ptr<entity::entity_logic> start(const json& body) {
  const rule_kind kind{{}};
  const entity_ref ref{"rule", tenant_id{"default"}, "bench"};
  return std::move(kind.instantiate(ref, 1, kind.compile(ref, body, nullptr)->definition).value());
}

/// Events a second through `decide`, in batches of 100.
void measure_batches(const char* name, const json& body, int temperature) {
  const auto logic = start(body);
  const auto context = new_call(system_identity(tenant_id{"default"}));
  const auto e = std::make_shared<const event::event>(climate(temperature));
  std::uint64_t offset = 0;
  double best = 0;
  for (int round = 0; round < 20; ++round) {
    evaluate_events batch;
    for (int i = 0; i < 100; ++i) batch.events.push_back({++offset, e});
    const auto request = message::of(std::move(batch));
    const auto begin = std::chrono::steady_clock::now();
    const auto decided = logic->decide(request, {from_micros(1), context, "decision"});
    for (const auto& event : decided->events) logic->apply(event);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    best = std::max(best, 100 / took.count());
  }
  std::printf("bench %s %.0f /s\n", name, best);
}

} // namespace

int main() {
  const auto simple = leaf("temperature", ">", 30);
  const json nested{
      {"logic", "AND"},
      {"conditions",
       {leaf("room", "starts_with", "server"),
        {{"logic", "OR"}, {"conditions", {leaf("temperature", ">", 90), leaf("nested.list.2", "==", 3)}}},
        {{"logic", "NOT"}, {"conditions", json::array({{{"field", "maintenance"}, {"op", "=="}, {"value", true}}})}}}}};
  const auto e = climate(34);
  const auto where = subject::of(e);
  auto as_rule = [](json c) {
    return rule_kind{{}}
        .compile({"rule", tenant_id{"t"}, "k"}, rule_over(std::move(c)), nullptr)
        ->definition["trigger_spec"];
  };
  const auto one = condition::compile(as_rule(simple));
  const auto many = condition::compile(as_rule(nested));
  long matched = 0;
  measure("rule verdict, one comparison", 2'000'000, [&](int) { matched += one.matches(where); });
  measure("rule verdict, nested conditions", 1'000'000, [&](int) { matched += many.matches(where); });
  measure("rule verdict explained, one comparison", 100'000, [&](int) { matched += one.explain(where).matched; });
  measure("rule verdict explained, nested conditions", 50'000, [&](int) { matched += many.explain(where).matched; });
  measure_batches("rule events judged, none matching", rule_over(simple), 10);
  measure_batches("rule events judged, all matching and stored", rule_over(simple), 34);
  const rule_kind kind{{}};
  const auto body = rule_over(nested);
  measure("rule definitions checked, nested conditions", 5'000, [&](int) {
    matched += kind.compile({"rule", tenant_id{"t"}, "k"}, body, nullptr).has_value();
  });
  return matched > 0 ? 0 : 1;
}
