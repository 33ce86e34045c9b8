#include "actors/rule/rule_kind.hpp"

#include "actors/rule/rule_definition.hpp"
#include "actors/rule/rule_state.hpp"

namespace tobit::rule {

result<entity::compiled_definition> rule_kind::compile(const entity_ref& ref, const json& body,
                                                       const json* before) const {
  auto definition = normalise_rule(ref, body, before, guard_, time_zone_);
  if (!definition) return fail(std::move(definition.error()));
  entity::compiled_definition out;
  out.name = definition->at("rule_name").get<std::string>();
  out.label = definition->at("trigger_type").get<std::string>();
  out.enabled = definition->at("is_active").get<bool>();
  if (out.enabled) out.interests = interests_of(*definition);
  out.definition = std::move(*definition);
  return out;
}

result<std::unique_ptr<entity::entity_logic>> rule_kind::instantiate(const entity_ref& ref, std::int64_t version,
                                                                     const json& definition) const {
  try {
    return std::make_unique<rule_state>(ref, version, definition, firings_per_minute_);
  } catch (const json::exception&) {
    return fail(error_code::internal_server_error,
                "The stored definition of rule " + ref.key + " cannot be read; save the rule again or roll it back.");
  }
}

} // namespace tobit::rule
