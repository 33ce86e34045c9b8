#pragma once

#include "tests/unit/rule/rule_samples.hpp"

#include <string>
#include <vector>

/// Rules that are accepted and rules that are refused, for the compile step and for the JSON Schema.
namespace tobit::rule::samples {

struct good_rule {
  std::string name;
  json body;
};
const std::vector<good_rule>& good_rules();

struct bad_rule {
  std::string name;
  json body;
  std::string pointer, says;
  /// The schema alone cannot see it: it needs a calendar, an address check, a count over the whole tree.
  bool beyond_schema = false;
};
const std::vector<bad_rule>& bad_rules();

} // namespace tobit::rule::samples
