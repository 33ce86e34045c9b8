#include "config/setting.hpp"
#include "node/cli/commands.hpp"
#include "node/cli/text_table.hpp"

#include <CLI/CLI.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <ostream>

namespace tobit::cli {

namespace {

constexpr const char* footer = R"(Examples:
  tobit serve --data-dir ./data                 start a node
  tobit login --user admin                      sign in and remember it
  tobit rule apply -f rules.yaml                create or update rules
  tobit event send '{"type":"door.opened","data":{"door":7}}'
  tobit actors list --kind rule                 what lives on the node
  tobit cluster status                          nodes, leases, shards, who leads
  tobit promote --to postgresql://db/tobit      move a stopped node's store to PostgreSQL
  tobit config list                             all settings and where they come from

Commands that talk to a node find it by --url, TOBIT_URL, the file `ready` in the
data folder, or http://127.0.0.1:8000, in this order.

Exit codes: 0 done · 1 refused by the node · 2 wrong usage or configuration · 3 no connection)";

/// All flags and commands that `command` knows, for a hint after a typo.
std::vector<std::string> known_words(const CLI::App& command) {
  std::vector<std::string> words;
  for (const auto* option : command.get_options())
    for (const auto& name : option->get_lnames()) words.push_back("--" + name);
  for (const auto* inner : command.get_subcommands([](const CLI::App*) { return true; }))
    words.push_back(inner->get_name());
  return words;
}

/// The command that was reached before the arguments stopped making sense.
const CLI::App& deepest(const CLI::App& app) {
  const auto reached = app.get_subcommands();
  return reached.empty() ? app : deepest(*reached.back());
}

/// `tobit rule apply`
std::string path_of(const CLI::App& command) {
  const auto* parent = command.get_parent();
  return parent ? path_of(*parent) + " " + command.get_name() : command.get_name();
}

/// The first argument that neither the reached command nor those above it know: probably the mistake.
std::string first_unknown(const CLI::App& command, const std::vector<std::string>& arguments) {
  auto known = known_words(command);
  for (const auto* above = command.get_parent(); above; above = above->get_parent()) {
    const auto more = known_words(*above);
    known.insert(known.end(), more.begin(), more.end());
  }
  const bool takes_commands = !command.get_subcommands([](const CLI::App*) { return true; }).empty();
  for (const auto& argument : arguments) {
    const auto word = argument.substr(0, argument.find('='));
    const bool candidate = word.rfind("--", 0) == 0 || (takes_commands && word.rfind('-', 0) != 0);
    if (candidate && std::find(known.begin(), known.end(), word) == known.end()) return word;
  }
  return {};
}

int explain(const CLI::App& app, const CLI::ParseError& e, const std::vector<std::string>& arguments,
            const surroundings& around) {
  if (e.get_exit_code() == 0) { // help and version
    app.exit(e, *around.out, *around.err);
    return ok;
  }
  const auto& command = deepest(app);
  const auto unknown = first_unknown(command, arguments);
  *around.err << "tobit: ";
  if (unknown.empty())
    *around.err << e.what() << '\n';
  else {
    *around.err << "'" << printable(unknown) << "' is not known to `" << path_of(command) << "`.";
    if (const auto meant = config::nearest(unknown, known_words(command)))
      *around.err << " Did you mean '" << *meant << "'?";
    *around.err << '\n';
  }
  *around.err << "  See `" << path_of(command) << " --help`.\n";
  return usage;
}

int run_guarded(const std::vector<std::string>& arguments, const surroundings& around) {
  CLI::App app("Tobit: watches, answers, remembers and serves — every rule a durable, supervised actor.", "tobit");
  command_line line{around, std::make_shared<node_options>(), {}};
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("tobit " TOBIT_VERSION));
  app.get_formatter()->column_width(34);
  add_serve_command(app, line);
  add_config_commands(app, line);
  add_login_commands(app, line);
  add_rule_commands(app, line);
  add_event_commands(app, line);
  add_actor_commands(app, line);
  add_alert_commands(app, line);
  add_cluster_commands(app, line);
  add_promote_command(app, line);
  app.footer(footer); // after the commands, which would inherit it
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend())); // CLI11 takes them from the back
  } catch (const CLI::ParseError& e) {
    return explain(app, e, arguments, around);
  }
  return line.chosen ? line.chosen() : usage;
}

} // namespace

int run(const std::vector<std::string>& arguments, const surroundings& around) noexcept {
  try {
    return run_guarded(arguments, around);
  } catch (const std::exception& e) {
    *around.err << "tobit: this should not happen: " << e.what() << '\n';
    return usage;
  }
}

void add_node_flags(CLI::App& command, command_line& line) {
  const auto group = "Which node, as whom";
  auto& node = *line.node;
  const auto text = [&](const char* flag, std::string& into, const char* type, const char* description) {
    command.add_option(flag, into, description)
        ->type_name(type)
        ->group(group)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  };
  text("--url", node.url, "URL", "The node's address; also TOBIT_URL");
  text("--token", node.token, "TOKEN", "An access token; also TOBIT_TOKEN");
  text("--api-key", node.api_key, "KEY", "An API key (sk_…); also TOBIT_API_KEY");
  text("--user", node.user, "NAME", "Sign in as this user; also TOBIT_USER");
  text("--password", node.password, "TEXT", "Password; better TOBIT_PASSWORD, or asked for on a terminal");
  text("--timeout", node.timeout, "TIME", "How long to wait for an answer (default 30s)");
  command.add_flag("--json", node.json, "Print the result as JSON");
}

int report(const command_line& line, const node_failure& failure) {
  if (line.node->json)
    *line.around.err << to_text(to_json(failure)) << '\n';
  else
    *line.around.err << "tobit: " << to_string(failure) << '\n';
  return failure.code;
}

int report(const command_line& line, const error& why) {
  if (why.code == error_code::validation_error || why.code == error_code::configuration_error)
    return complain(line, std::string{why.text()});
  node_failure failure;
  failure.name = std::string{describe(why.code).name};
  failure.message = std::string{why.text()};
  return report(line, failure);
}

void quieten_libraries() {
  auto& log = *spdlog::default_logger();
  log.sinks() = {std::make_shared<spdlog::sinks::stderr_sink_mt>()};
  log.set_level(spdlog::level::warn);
}

int complain(const command_line& line, const std::string& message) {
  node_failure failure;
  failure.code = usage;
  failure.name = "USAGE";
  failure.message = message;
  if (line.node->json) return report(line, failure);
  *line.around.err << "tobit: " << message << '\n';
  return usage;
}

std::unique_ptr<node_client> open_client(const command_line& line, int& code) {
  auto client = node_client::make(line.around, *line.node);
  if (client) return std::move(*client);
  code = report(line, client.error());
  return nullptr;
}

} // namespace tobit::cli
