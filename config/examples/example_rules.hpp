#pragma once

#include "schemas/json.hpp"

#include <string>
#include <vector>

namespace tobit::config {

/// One rule of the example pack.
struct example_rule {
  std::string name;    ///< of its file, without ending
  std::string rule_id; ///< fixed, so that a second start finds what the first one made
  json body;           ///< as a user would write it
};

/// The rules that watch the machine they run on, in the order of this folder's CMakeLists.txt.
const std::vector<example_rule>& example_rules();

} // namespace tobit::config
