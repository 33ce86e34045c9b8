#pragma once

#include "config/settings.hpp"

namespace tobit::node {

/// Exit codes of `tobit serve`.
enum exit_code : int { exit_ok = 0, exit_failed = 1, exit_configuration = 2 };

/// Runs one node until SIGINT or SIGTERM and returns the exit code. Prints one line `ready http://host:port` to
/// standard output once it serves, and writes the same to `<data_dir>/ready`. On the very first start it prints the
/// generated administrator password to standard error, once. A second signal while stopping ends the process at once.
int serve(const config::settings& settings);

} // namespace tobit::node
