#pragma once

#include "node/cli/commands.hpp"

namespace CLI {
class App;
} // namespace CLI

namespace tobit::cli {

/// `init` and `certificate`: what is done on files and the database, without a node.
void add_cluster_founding(CLI::App& cluster, command_line& line);

} // namespace tobit::cli
