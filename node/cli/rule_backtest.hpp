#pragma once

#include "node/cli/commands.hpp"

#include <string>

namespace tobit::cli {

struct backtest_options {
  std::string rule;     ///< name or id
  std::string from, to; ///< RFC 3339, or a duration that has passed since, e.g. `24h`
  std::string file;     ///< a changed definition to try instead of the live one; empty: none
  bool alerting = true;
};

/// Starts a backtest on the node, shows its progress and prints its report. Interrupted by a failure it leaves the
/// backtest running; its id is printed.
int backtest_rule(const command_line& line, const backtest_options& options);

/// The report as people read it.
std::string backtest_in_words(const json& backtest);

} // namespace tobit::cli
