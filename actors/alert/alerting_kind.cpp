#include "actors/alert/alerting_kind.hpp"

#include "actors/alert/alerting_definition.hpp"
#include "actors/alert/alerting_state.hpp"
#include "schemas/alert/alert_protocol.hpp"

namespace tobit::alert {

std::string_view alerting_kind::name() const noexcept { return kind_name; }

result<entity::compiled_definition> alerting_kind::compile(const entity_ref& ref, const json& body,
                                                           const json* before) const {
  if (ref.key != only_key)
    return fail(error_code::validation_error, "A tenant has one alerting, with the key 'default'.");
  auto definition = normalise_alerting(body, before, guard_);
  if (!definition) return fail(std::move(definition.error()));
  entity::compiled_definition out;
  out.name = "alerting";
  out.definition = std::move(*definition);
  return out;
}

result<std::unique_ptr<entity::entity_logic>> alerting_kind::instantiate(const entity_ref& ref, std::int64_t,
                                                                         const json& definition) const {
  try {
    return std::make_unique<alerting_state>(ref, definition);
  } catch (const json::exception&) {
    return fail(error_code::internal_server_error,
                "The stored definition of alerting cannot be read; save it again or roll it back.");
  }
}

std::optional<json> alerting_kind::implicit_definition(const entity_ref& ref) const {
  if (ref.key != only_key) return std::nullopt;
  return default_alerting();
}

} // namespace tobit::alert
