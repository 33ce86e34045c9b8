#pragma once

#include "node/cli/commands.hpp"
#include "schemas/json.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace tobit::cli {

struct apply_options {
  std::vector<std::string> files;
  std::size_t parallel = 16; ///< requests under way
  bool dry_run = false;
};

/// Creates or updates rules: one with a `rule_id` by it, one without by its `rule_name`. A rule that is already as
/// wanted is left alone. Nothing is sent before all files were read. One result per rule, in the order of the files.
int apply_rules(const command_line& line, const apply_options& options);

} // namespace tobit::cli
