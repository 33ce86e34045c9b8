#include "node/cli/rule_backtest.hpp"

#include "config/formats.hpp"
#include "node/cli/definition_file.hpp"
#include "node/cli/progress_bar.hpp"
#include "node/cli/rule_list.hpp"
#include "node/cli/text_table.hpp"
#include "schemas/time.hpp"

#include <chrono>
#include <optional>
#include <ostream>
#include <thread>

namespace tobit::cli {

namespace {

constexpr std::chrono::milliseconds look_every{300};
constexpr std::size_t rows_shown = 20;

/// RFC 3339, or how long ago.
std::optional<std::string> moment_of(const std::string& text) {
  if (parse_rfc3339(text)) return text;
  const auto ago = config::parse_duration(text);
  if (!ago) return std::nullopt;
  return to_rfc3339(std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now()) - *ago);
}

tl::expected<json, std::string> wish_of(const command_line& line, const backtest_options& options) {
  using failed = tl::unexpected<std::string>;
  const auto from = moment_of(options.from), to = moment_of(options.to.empty() ? "0s" : options.to);
  if (!from || !to)
    return failed("'" + (from ? options.to : options.from) +
                  "' is neither a time such as 2026-11-01T00:00:00Z nor a duration such as 24h.");
  json wish{{"from", *from}, {"to", *to}, {"with_alerting", options.alerting}};
  if (options.file.empty()) return wish;
  auto text = read_text(options.file, *line.around.in);
  if (!text) return failed(text.error());
  auto definitions = read_definitions(*text, options.file);
  if (!definitions) return failed(definitions.error());
  if (definitions->size() != 1) return failed(options.file + ": holds several definitions; give one.");
  wish["rule"] = std::move(definitions->front());
  for (const auto* answered :
       {"rule_id", "tenant_id", "version", "status", "last_error", "created_at", "created_by", "updated_at"})
    wish["rule"].erase(answered);
  return wish;
}

bool is_over(const json& backtest) {
  const auto status = text_at(backtest, "status");
  return status != "waiting" && status != "running";
}

/// Looks at it until it is over.
outcome<json> follow(const command_line& line, node_client& node, json backtest) {
  const auto path = "/cep/backtests/" + percent_encode(text_at(backtest, "job_id"));
  std::optional<progress_bar> bar;
  while (!is_over(backtest)) {
    const auto& progress = backtest["progress"];
    const auto total = progress.value("total", std::size_t{0});
    if (!bar && total > 0)
      bar.emplace(*line.around.err, line.around.err_is_terminal, line.around.columns, "events", total);
    if (bar) bar->advance(progress.value("done", std::size_t{0}));
    std::this_thread::sleep_for(look_every);
    auto answer = node.call("GET", path);
    if (!answer && !answer.error().retryable()) return tl::unexpected<node_failure>(answer.error());
    if (answer) backtest = answer->data.value("backtest", json::object());
  }
  return backtest;
}

std::string number(const json& of, const char* name) {
  const auto found = of.find(name);
  return found == of.end()
             ? "0"
             : to_text(found->is_number_float() ? json(static_cast<std::int64_t>(found->get<double>())) : *found);
}

std::string short_time(const json& of, const char* name) {
  const auto text = text_at(of, name);
  return text.size() > 19 ? text.substr(0, 19) : text.empty() ? "-" : text;
}

void add_alerts(const json& alerts, std::string& out) {
  if (alerts.value("total", 0) == 0) return;
  text_table table({"PENDING", "FIRING", "RESOLVED", "SEVERITY", "KEY", "SUMMARY"});
  std::size_t shown = 0;
  for (const auto& one : alerts["listed"]) {
    if (shown++ == rows_shown) break;
    table.add({short_time(one, "pending_at"), short_time(one, "firing_at"), short_time(one, "resolved_at"),
               text_at(one, "severity"), text_at(one, "key"), text_at(one, "summary")});
  }
  out += "\nAlerts: " + number(alerts, "total") + "\n" + table.str();
}

void add_channels(const json& report, std::string& out) {
  const auto& channels = report["channels"];
  if (channels.is_object() && !channels.empty()) {
    text_table table({"CHANNEL", "NOTICES", "FIRING", "RESOLVED", "SENT"});
    for (const auto& [name, counts] : channels.items())
      table.add({name, number(counts, "notices"), number(counts, "firing"), number(counts, "resolved"),
                 number(counts, "sent")});
    out += "\n" + table.str();
  }
  for (const auto& one : report["held_back"])
    out += "held back: " + number(one, "count") + " " + text_at(one, "status") +
           (text_at(one, "reason").empty() ? "" : " (" + text_at(one, "reason") + ")") + "\n";
}

void add_comparison(const json& comparison, std::string& out) {
  text_table table({"COMPARED WITH LIVE", "BOTH", "ONLY REHEARSED", "ONLY LIVE"});
  for (const auto* what : {"firings", "alerts", "notices"}) {
    const auto& one = comparison[what];
    table.add({what, number(one, "both"), number(one["only_rehearsal"], "total"), number(one["only_live"], "total")});
  }
  out += "\n" + table.str();
}

} // namespace

std::string backtest_in_words(const json& backtest) {
  const auto& report = backtest["report"];
  std::string out = text_at(report["rule"], "rule_name") + (report["rule"].value("changed", false) ? ", changed" : "") +
                    ", " + short_time(report["range"], "from") + " to " + short_time(report["range"], "to") + "\n";
  const auto& events = report["events"];
  out += number(events, "read") + " events read, " + number(events, "evaluated") + " evaluated, " +
         number(events, "per_second") + " a second\n";
  out += "fired: " + number(report["fired"], "total") + ", failed: " + number(report, "failed") + "\n";
  for (const auto& [type, count] : report["actions"].items()) out += "action " + type + ": " + to_text(count) + "\n";
  add_alerts(report["alerts"], out);
  add_channels(report, out);
  add_comparison(report["comparison"], out);
  for (const auto& remark : report["remarks"])
    if (remark.is_string()) out += "note: " + remark.get<std::string>() + "\n";
  return out;
}

int backtest_rule(const command_line& line, const backtest_options& options) {
  auto wish = wish_of(line, options);
  if (!wish) return complain(line, wish.error());
  int code = ok;
  const auto client = open_client(line, code);
  if (!client) return code;
  const auto rule = find_rule(*client, options.rule);
  if (!rule) return report(line, rule.error());
  auto started = client->call("POST", "/cep/rules/" + percent_encode(text_at(*rule, "rule_id")) + "/backtest", *wish);
  if (!started) return report(line, started.error());
  auto backtest = follow(line, *client, started->data.value("backtest", json::object()));
  if (!backtest) {
    *line.around.err << "tobit: the backtest goes on as " << printable(text_at(started->data["backtest"], "job_id"))
                     << '\n';
    return report(line, backtest.error());
  }
  const bool done = text_at(*backtest, "status") == "done";
  if (line.node->json)
    *line.around.out << to_text(*backtest) << '\n';
  else if (done)
    *line.around.out << backtest_in_words(*backtest);
  else
    *line.around.err << "tobit: the backtest is " << printable(text_at(*backtest, "status")) << ": "
                     << printable(text_at((*backtest)["error"], "message")) << '\n';
  return done ? ok : refused;
}

} // namespace tobit::cli
