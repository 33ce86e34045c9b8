#pragma once

#include "node/cli/commands.hpp"

namespace tobit::cli {

/// `tobit rule export` and `tobit rule template list|show|apply`, below `rule`.
void add_rule_export_command(CLI::App& rule, command_line& line);
void add_rule_template_commands(CLI::App& rule, command_line& line);

} // namespace tobit::cli
