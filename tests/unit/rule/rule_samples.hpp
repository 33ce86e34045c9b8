#pragma once

#include "actors/rule/rule_kind.hpp"
#include "actors/rule/rule_state.hpp"
#include "schemas/json.hpp"

#include <memory>
#include <string>

/// Rules and messages that several suites use.
namespace tobit::rule::samples {

inline const entity_ref ref{"rule", tenant_id{"acme"}, "0197b5d2-0000-7000-8000-000000000001"};

inline outbound::guard_options guard() { return {{"127.0.0.1:9090"}}; }

/// A rule around a trigger, without an action.
inline json rule_with(std::string type, json trigger, json action = nullptr) {
  return {{"rule_name", "a rule"},
          {"trigger_type", std::move(type)},
          {"trigger_spec", std::move(trigger)},
          {"action_spec", std::move(action)}};
}

inline json hot() {
  return rule_with("event", {{"types", {"reading"}}, {"field", "temperature"}, {"op", ">"}, {"value", 90}},
                   {{"type", "store"}});
}

/// A member by value: a reference into a temporary document would dangle in CAF's checks.
inline json member(const json& document, const char* pointer) {
  return document.value(json::json_pointer(pointer), json("absent"));
}

inline result<entity::compiled_definition> compile(const json& body, const json* before = nullptr) {
  return rule_kind{guard()}.compile(ref, body, before);
}

/// Precondition: the rule is valid.
inline std::unique_ptr<entity::entity_logic> start(const json& body, std::int64_t version = 1) {
  auto compiled = compile(body);
  if (!compiled) throw std::runtime_error(compiled.error().pointer + ": " + compiled.error().message);
  return std::move(rule_kind{guard()}.instantiate(ref, version, compiled->definition).value());
}

inline event::logged_event reading(std::uint64_t offset, json data, std::string type = "reading") {
  event::event e;
  e.id = "e" + std::to_string(offset);
  e.source = "/sensors/1";
  e.type = std::move(type);
  e.time = from_micros(1'763'627'400'000'000);
  e.data = std::move(data);
  return {offset, std::make_shared<const event::event>(std::move(e))};
}

/// Decides and applies, as the runtime does after the commit.
class bench {
public:
  explicit bench(const json& body) : logic(start(body)) {}

  template <wire_message M>
  entity::decision tell(M body) {
    decision_id = "d" + std::to_string(++decisions);
    auto decided = logic->decide(message::of(std::move(body)), {now, context, decision_id});
    if (!decided) throw std::runtime_error(decided.error().message);
    for (const auto& e : decided->events) logic->apply(e);
    return std::move(*decided);
  }
  template <wire_message Reply, wire_message M>
  Reply ask(M body) {
    auto decided = tell(std::move(body));
    return *decided.reply.template as<Reply>();
  }

  std::unique_ptr<entity::entity_logic> logic;
  utc_time now = from_micros(1'800'000'000'000'000);
  call_context context = new_call(system_identity(tenant_id{"acme"}));
  int decisions = 0;
  std::string decision_id;
};

/// The value of a statement's parameter, by position from 1.
inline const std::string& text_param(const storage::statement& s, std::size_t n) {
  return storage::as_text(s.params.at(n - 1));
}

} // namespace tobit::rule::samples
