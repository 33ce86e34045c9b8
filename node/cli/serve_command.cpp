#include "config/load.hpp"
#include "config/reference.hpp"
#include "node/cli/commands.hpp"

#include <CLI/CLI.hpp>

#include <ostream>

namespace tobit::cli {

namespace {

using flag_values = std::vector<std::pair<config::setting, std::string>>;

/// The section of a setting as a heading of the help.
std::string heading(const config::setting_description& row) {
  const auto dot = row.key.find('.');
  return dot == std::string_view::npos ? "The node" : "Settings of " + std::string(row.key.substr(0, dot));
}

/// One flag per setting. `shown` false leaves them out of the help.
void add_setting_flags(CLI::App& command, const std::shared_ptr<flag_values>& values, bool shown) {
  for (const auto& row : config::setting_table()) {
    auto* option = command.add_option_function<std::string>(
        row.flag, [values, id = row.id](const std::string& text) { values->emplace_back(id, text); },
        std::string(row.description));
    option->type_name(row.type == config::setting_type::choice ? std::string(row.limits)
                                                               : std::string(to_string(row.type)));
    option->group(shown ? heading(row) : "");
    if (!row.initial.empty()) option->default_str(std::string(row.initial));
    if (row.type == config::setting_type::list)
      option->join(',');
    else
      option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
}

int list_problems(const command_line& line, const std::vector<config::problem>& problems) {
  auto& err = *line.around.err;
  if (line.node->json) {
    json rows = json::array();
    for (const auto& p : problems) rows.push_back({{"where", p.where}, {"key", p.key}, {"message", p.message}});
    err << to_text(json{{"problems", rows}}) << '\n';
    return usage;
  }
  err << "tobit: the configuration has "
      << (problems.size() == 1 ? "a problem" : std::to_string(problems.size()) + " problems") << ":\n";
  for (const auto& p : problems) err << "  " << config::to_string(p) << '\n';
  if (problems.size() >= config::problems_max) err << "  … and maybe more; these are the first.\n";
  return usage;
}

/// Loads the settings and hands them on; problems end it.
int with_settings(const command_line& line, const flag_values& flags,
                  const std::function<int(const config::settings&)>& go) {
  const auto loaded = config::load({line.around.environment, flags});
  if (!loaded) return list_problems(line, loaded.error());
  for (const auto& warning : loaded->warnings()) *line.around.err << "tobit: " << warning << '\n';
  return go(*loaded);
}

int check_file(const command_line& line, const std::string& path) {
  config::settings checked;
  auto problems = config::apply_file(path, checked);
  if (problems.empty()) problems = config::contradictions(checked);
  if (!problems.empty()) return list_problems(line, problems);
  std::size_t set = 0;
  for (const auto& row : config::setting_table()) set += checked.source_of(row.id) == config::source::file ? 1 : 0;
  if (line.node->json)
    *line.around.out << to_text(json{{"file", path}, {"settings", set}, {"problems", json::array()}}) << '\n';
  else
    *line.around.out << path << ": fine, " << set << (set == 1 ? " setting" : " settings") << '\n';
  return ok;
}

} // namespace

void add_serve_command(CLI::App& app, command_line& line) {
  auto* serve = app.add_subcommand("serve", "Start a node and keep it running until Ctrl-C or SIGTERM");
  auto wide = std::make_shared<CLI::Formatter>();
  wide->column_width(50);
  serve->formatter(wide);
  auto flags = std::make_shared<flag_values>();
  add_setting_flags(*serve, flags, true);
  serve->footer(R"(Every setting also has a key for the file (--config) and a TOBIT_… variable; see
`tobit config list`. Once ready, the node prints `ready http://host:port` and writes
the same to the file `ready` in its data folder.

Examples:
  tobit serve
  tobit serve --data-dir /var/lib/tobit --http-address 0.0.0.0:8000
  TOBIT_DATABASE_URL=postgresql://tobit@db/tobit tobit serve --config /etc/tobit.yaml)");
  serve->callback(
      [&line, flags] { line.chosen = [&line, flags] { return with_settings(line, *flags, line.around.serve); }; });
}

void add_config_commands(CLI::App& app, command_line& line) {
  auto* config = app.add_subcommand("config", "Show and check settings");
  config->require_subcommand(1);

  auto* list = config->add_subcommand("list", "Every setting: value, where it comes from, default, variable and flag");
  auto flags = std::make_shared<flag_values>();
  add_setting_flags(*list, flags, false);
  list->add_flag("--json", line.node->json, "Print the result as JSON");
  list->footer("Takes the flags of `tobit serve` too, to see what they change. Secrets are masked.\n\n"
               "Examples:\n  tobit config list\n  tobit config list --config /etc/tobit.yaml --json");
  list->callback([&line, flags] {
    line.chosen = [&line, flags] {
      return with_settings(line, *flags, [&line](const config::settings& s) {
        if (line.node->json)
          *line.around.out << config::listing_json(s).dump(2) << '\n';
        else
          *line.around.out << config::listing(s);
        return static_cast<int>(ok);
      });
    };
  });

  auto* check = config->add_subcommand("check", "Find every mistake in a settings file at once");
  auto file = std::make_shared<std::string>();
  check->add_option("FILE", *file, "The settings file (YAML)")->required();
  check->add_flag("--json", line.node->json, "Print the result as JSON");
  check->footer("Example:\n  tobit config check /etc/tobit.yaml");
  check->callback([&line, file] { line.chosen = [&line, file] { return check_file(line, *file); }; });

  auto* reference = config->add_subcommand("reference", "Print the reference page of all settings (Markdown)");
  reference->callback([&line] {
    line.chosen = [&line] {
      *line.around.out << config::reference_page();
      return static_cast<int>(ok);
    };
  });
}

} // namespace tobit::cli
