#include "http/routes/rule_check.hpp"

#include "http/routes/route_deps.hpp"
#include "runtime/time/schedule_spec.hpp"
#include "schemas/rule/rule_protocol.hpp"

#include <spdlog/spdlog.h>

namespace tobit::http {

result<checked_rule> check_rule(const route_deps& deps, const exchange& ex, const json& body, const json* before) {
  const auto* kind = deps.kinds ? deps.kinds->find(rule::kind_name) : nullptr;
  if (!kind) return fail(error_code::not_implemented);
  checked_rule out;
  const auto given = body.is_object() ? body.find("rule_id") : body.end();
  const bool named = body.is_object() && given != body.end() && given->is_string();
  out.ref = {std::string(rule::kind_name), ex.tenant(), named ? given->get<std::string>() : new_uuid()};
  auto compiled = kind->compile(out.ref, body, before);
  if (!compiled) return fail(compiled.error());
  out.compiled = std::move(*compiled);
  return out;
}

result<json> rehearse_rule(const route_deps& deps, const exchange_ptr& ex, const checked_rule& rule, json payload) {
  auto logic = deps.kinds->find(rule::kind_name)->instantiate(rule.ref, 1, rule.compiled.definition);
  if (!logic) return fail(logic.error());
  if (auto fresh = (*logic)->restore({}); !fresh) return fail(fresh.error());
  const auto decision_id = new_uuid();
  const entity::moment at{ex->now(), ex->context(), decision_id};
  rule::simulate_rule wish;
  wish.payload = std::move(payload);
  auto decided = (*logic)->decide(message::of(std::move(wish)), at);
  if (!decided) return fail(decided.error());
  const auto* done = decided->reply.as<rule::rule_simulated>();
  if (!done) return fail(error_code::internal_server_error);
  return done->simulation;
}

json next_ticks(const checked_rule& rule, utc_time now, std::size_t count) {
  json out = json::array();
  for (const auto& one : rule.compiled.interests) {
    if (one.source != "schedule") continue;
    const auto spec = compile_schedule(one.spec.get<entity::schedule_interest>());
    if (!spec) return out;
    auto at = now;
    for (std::size_t i = 0; i < count; ++i) {
      const auto next = next_due(*spec, now, at);
      if (!next) break;
      at = *next;
      out.push_back(to_rfc3339(at));
    }
  }
  return out;
}

} // namespace tobit::http
