#include "actors/notify/channel/channel_kind.hpp"

#include "actors/notify/channel/channel_state.hpp"

namespace tobit::notify {

result<entity::compiled_definition> channel_kind::compile(const entity_ref& ref, const json& body,
                                                          const json* before) const {
  auto definition = normalise_channel(ref, body, before, rules_);
  if (!definition) return fail(std::move(definition.error()));
  entity::compiled_definition out;
  out.name = definition->at("name").get<std::string>();
  out.label = definition->at("type").get<std::string>();
  out.enabled = definition->at("is_active").get<bool>();
  out.definition = std::move(*definition);
  return out;
}

result<std::unique_ptr<entity::entity_logic>> channel_kind::instantiate(const entity_ref& ref, std::int64_t,
                                                                        const json& definition) const {
  try {
    return std::make_unique<channel_state>(ref, definition);
  } catch (const json::exception&) {
    return fail(error_code::internal_server_error, "The stored definition of channel " + ref.key +
                                                       " cannot be read; save the channel again or roll it back.");
  }
}

} // namespace tobit::notify
