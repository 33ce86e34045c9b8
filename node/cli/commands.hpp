#pragma once

#include "node/cli/node_client.hpp"
#include "node/cli/surroundings.hpp"

#include <functional>
#include <memory>
#include <string>

namespace CLI {
class App;
} // namespace CLI

namespace tobit::cli {

/// What the commands share while the arguments are read: the chosen one is left in `chosen` and run after.
struct command_line {
  const surroundings& around;
  std::shared_ptr<node_options> node = std::make_shared<node_options>();
  std::function<int()> chosen;
};

/// --url, --token, --api-key, --user, --password, --timeout and --json.
void add_node_flags(CLI::App& command, command_line& line);
/// Prints a failure (as JSON if asked for) and returns its exit code.
int report(const command_line& line, const node_failure& failure);
/// The same for what was done here, without a node: a wrong configuration is `usage`, anything else `refused`.
int report(const command_line& line, const error& why);
/// For commands that work on a store themselves: what the libraries log goes to standard error, and only warnings.
void quieten_libraries();
/// Opens a client; on failure reports it and leaves `code`.
std::unique_ptr<node_client> open_client(const command_line& line, int& code);
/// Prints a mistake of the user and returns `usage`.
int complain(const command_line& line, const std::string& message);

// One function per group of commands; each adds its commands below `app`.
void add_serve_command(CLI::App& app, command_line& line);
void add_config_commands(CLI::App& app, command_line& line);
void add_login_commands(CLI::App& app, command_line& line);
void add_rule_commands(CLI::App& app, command_line& line);
void add_event_commands(CLI::App& app, command_line& line);
void add_actor_commands(CLI::App& app, command_line& line);
void add_alert_commands(CLI::App& app, command_line& line);
void add_cluster_commands(CLI::App& app, command_line& line);
void add_promote_command(CLI::App& app, command_line& line);

} // namespace tobit::cli
