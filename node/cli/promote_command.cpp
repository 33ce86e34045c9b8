#include "config/load.hpp"
#include "node/cli/commands.hpp"
#include "node/cli/progress_bar.hpp"
#include "node/cli/text_table.hpp"
#include "runtime/storage/postgres_url.hpp"
#include "runtime/storage/promotion.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <optional>
#include <ostream>

namespace tobit::cli {

namespace {

struct promote_options {
  std::string to, config, data_dir;
};

/// The SQLite file that the node of these settings would use.
std::string source_of(const config::settings& settings) {
  const auto& url = settings.text(config::setting::database_url);
  return url.empty() || url.starts_with("postgres") ? settings.in_data_dir("tobit.db") : url;
}

/// A bar for each phase.
class promotion_display {
public:
  explicit promotion_display(const surroundings& around) : around_(around) {}
  void show(const storage::promotion_progress& now) {
    if (!bar_ || phase_ != now.now) {
      phase_ = now.now;
      const auto* what = phase_ == storage::promotion_progress::phase::copying ? "rows copied" : "rows compared";
      bar_.emplace(*around_.err, around_.err_is_terminal, around_.columns, what, now.total);
    }
    bar_->advance(now.done);
  }
  void clear() { bar_.reset(); }

private:
  const surroundings& around_;
  std::optional<progress_bar> bar_;
  storage::promotion_progress::phase phase_{};
};

int promote(const command_line& line, const promote_options& asked) {
  if (!asked.to.starts_with("postgresql://") && !asked.to.starts_with("postgres://"))
    return complain(line, "--to takes a PostgreSQL database: postgresql://user:password@host/name.");
  config::inputs in{line.around.environment, {}};
  if (!asked.config.empty()) in.flags.emplace_back(config::setting::config, asked.config);
  if (!asked.data_dir.empty()) in.flags.emplace_back(config::setting::data_dir, asked.data_dir);
  const auto settings = config::load(in);
  if (!settings) return complain(line, config::to_string(settings.error().front()));
  quieten_libraries();
  const auto source = source_of(*settings);
  promotion_display display{line.around};
  const auto begun = std::chrono::steady_clock::now();
  const auto done = storage::promote(source, asked.to, [&](const auto& now) { display.show(now); });
  display.clear();
  if (!done) {
    const bool refused = done.error().code == error_code::configuration_error;
    if (!refused) *line.around.err << "tobit: The source is untouched; the same command goes on where it stopped.\n";
    return report(line, done.error());
  }
  const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  if (line.node->json) {
    *line.around.out << to_text(json{{"source", source},
                                     {"tables", done->tables},
                                     {"rows", done->rows},
                                     {"rows_before", done->rows_before},
                                     {"seconds", seconds}})
                     << '\n';
    return ok;
  }
  *line.around.out << done->rows << " rows of " << done->tables << " tables are in "
                   << printable(storage::without_secrets(asked.to)) << " and are the same as in " << printable(source);
  if (done->rows_before > 0) *line.around.out << " (" << done->rows_before << " were there from an earlier run)";
  *line.around.out << ".\nStart the node with TOBIT_DATABASE_URL set to that database, or make a cluster of it with "
                      "`tobit cluster init`.\nThe SQLite store is as it was: keep it as a backup, and start no node on "
                      "it any more.\n";
  return ok;
}

} // namespace

void add_promote_command(CLI::App& app, command_line& line) {
  auto asked = std::make_shared<promote_options>();
  auto* command = app.add_subcommand("promote", "Move a node's SQLite store to PostgreSQL");
  command->add_option("--to", asked->to, "An empty database: postgresql://user:password@host/name")
      ->required()
      ->type_name("URL");
  command->add_option("--data-dir", asked->data_dir, "Data folder of the stopped node; also TOBIT_DATA_DIR")
      ->type_name("PATH");
  command->add_option("--config", asked->config, "Settings file of the node; also TOBIT_CONFIG")->type_name("PATH");
  command->add_flag("--json", line.node->json, "Print the result as JSON");
  command->footer(
      "Stop the node first. Everything is copied and then compared, row for row. If it breaks off, the same\n"
      "command goes on where it stopped. The SQLite store is only read.\n\nExample:\n"
      "  tobit promote --data-dir /var/lib/tobit --to postgresql://tobit@db/tobit");
  command->callback([&line, asked] { line.chosen = [&line, asked] { return promote(line, *asked); }; });
}

} // namespace tobit::cli
