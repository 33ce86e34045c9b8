#pragma once

#include "runtime/entity/entity_logic.hpp"
#include "schemas/entity/entity_protocol.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace tobit::entity {

/// The effect that says `said` to another entity of the same tenant (`message_effect`).
template <wire_message M>
effect message_to(std::string_view kind, std::string_view key, M said, std::string correlation = {},
                  bool report = false) {
  effect out{std::string(message_effect::effect_type), nullptr, std::move(correlation), report};
  out.said = message::of(std::move(said));
  out.to_kind = kind;
  out.to_key = key;
  return out;
}

/// What an effect of the type "message" says. Throws json::exception if it is none.
inline message_effect wish_of(const effect& e) {
  if (!e.said) return e.body.get<message_effect>();
  return {e.to_kind, e.to_key, std::string(e.said.name()), e.said.encode()};
}

} // namespace tobit::entity
