#pragma once

#include "tests/unit/rule/rule_table.hpp"

#include <vector>

namespace tobit::rule::samples {

/// The same with rules of the type "pattern".
std::vector<good_rule> with_patterns(std::vector<good_rule> rules);
std::vector<bad_rule> with_patterns(std::vector<bad_rule> rules);

} // namespace tobit::rule::samples
