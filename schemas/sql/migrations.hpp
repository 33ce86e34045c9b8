#pragma once

#include <string_view>
#include <vector>

namespace tobit::sql {

/// One step of the database's layout. Released steps are frozen; a change is a new step.
struct migration {
  std::string_view name; ///< recorded in the table `migration` once applied
  std::string_view text; ///< portable SQL with dialect tokens, see the first file
};

/// All steps, in order.
const std::vector<migration>& migrations();

} // namespace tobit::sql
