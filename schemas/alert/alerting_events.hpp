#pragma once

#include "schemas/message.hpp"

#include <cstdint>
#include <string>

/// What the alerting of a tenant writes into its journal.
namespace tobit::alert {

/// A message that changed something was taken. Taken again in order, by the same definition, they give the same state:
/// alerting decides by nothing but its state, the message, the time and the id.
struct alerting_stepped {
  static constexpr std::string_view wire_name = "tobit.alert.stepped.v1";
  std::int64_t sequence = 0; ///< 1, 2, …; what the state holds already is not taken again
  std::int64_t at_us = 0;
  std::int64_t latest_us = 0; ///< the latest moment seen before, by which a clock set back is noticed
  std::string id;             ///< of the decision
  std::string name;           ///< the message
  json body;                  ///< of the message, as read back
  message said = {};          ///< the message while it is fresh, instead of `body`
};

void to_json(json& out, const alerting_stepped& m);
void from_json(const json& in, alerting_stepped& m);
void write_text(std::string& out, const alerting_stepped& m);

} // namespace tobit::alert
