#pragma once

#include "runtime/entity/entity_logic.hpp"
#include "schemas/entity/entity_protocol.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace tobit::entity {

/// The effect that says `said` to another entity of the same tenant (`message_effect`).
template <wire_message M>
effect message_to(std::string_view kind, std::string_view key, const M& said, std::string correlation = {},
                  bool report = false) {
  const message_effect body{std::string(kind), std::string(key), std::string(M::wire_name), json(said)};
  return {std::string(message_effect::effect_type), json(body), std::move(correlation), report};
}

} // namespace tobit::entity
