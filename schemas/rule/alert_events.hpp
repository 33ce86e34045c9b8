#pragma once

#include "schemas/message.hpp"

namespace tobit::rule {

/// Alerts of a rule changed: whole records, so that applying them gives the table as it was.
struct alerts_moved {
  static constexpr std::string_view wire_name = "tobit.rule.alerts_moved.v1";
  json moves; ///< as actors/rule/alert/alert_table writes them
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(alerts_moved, moves)

} // namespace tobit::rule
