#include "node/cli/commands.hpp"
#include "node/cli/rule_list.hpp"
#include "node/cli/text_table.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <ostream>

namespace tobit::cli {

namespace {

struct list_options {
  std::string status = "live", severity, rule, label;
};
struct silence_options {
  std::vector<std::string> matchers;
  std::string lasts = "1h", comment;
};

int list_alerts(const command_line& line, const list_options& asked) {
  int code = ok;
  const auto client = open_client(line, code);
  if (!client) return code;
  std::string path = "/cep/alerts?limit=500";
  if (asked.status != "all") path += "&status=" + percent_encode(asked.status);
  if (!asked.severity.empty()) path += "&severity=" + percent_encode(asked.severity);
  if (!asked.label.empty()) path += "&label=" + percent_encode(asked.label);
  if (!asked.rule.empty()) {
    const auto rule = find_rule(*client, asked.rule);
    if (!rule) return report(line, rule.error());
    path += "&rule_id=" + percent_encode(text_at(*rule, "rule_id"));
  }
  const auto alerts = fetch_all(*client, path, "alerts");
  if (!alerts) return report(line, alerts.error());
  if (line.node->json) {
    *line.around.out << to_text(json{{"alerts", *alerts}}) << '\n';
    return ok;
  }
  if (alerts->empty()) {
    *line.around.err << (asked.status == "live" ? "No live alerts.\n" : "No alerts.\n");
    return ok;
  }
  text_table table({"STATUS", "SEVERITY", "SINCE", "ACK", "QUIET", "SUMMARY", "ID"});
  for (const auto& alert : *alerts) {
    const auto quiet = !text_at(alert, "silenced_by").empty()    ? "silenced"
                       : !text_at(alert, "inhibited_by").empty() ? "inhibited"
                                                                 : "";
    table.add({text_at(alert, "status") + (text_at(alert, "flapping") == "true" ? " ~" : ""),
               text_at(alert, "severity"), text_at(alert, "started_at").substr(0, 19), text_at(alert, "ack_by"), quiet,
               text_at(alert, "summary"), text_at(alert, "alert_id")});
  }
  *line.around.out << table.str();
  return ok;
}

int acknowledge(const command_line& line, const std::vector<std::string>& ids, const std::string& comment) {
  int code = ok;
  const auto client = open_client(line, code);
  if (!client) return code;
  json results = json::array();
  for (const auto& id : ids) {
    const auto answer = client->call("POST", "/cep/alerts/" + percent_encode(id) + "/ack", json{{"comment", comment}});
    if (!answer) {
      code = std::max(code, report(line, answer.error()));
      if (code == unreachable) break;
      continue;
    }
    results.push_back(answer->data);
    const auto alert = answer->data.value("alert", json::object());
    if (!line.node->json)
      *line.around.out << (answer->data.value("changed", false)
                               ? "acknowledged  "
                               : "already by " + printable(text_at(alert, "ack_by")) + "  ")
                       << printable(text_at(alert, "summary")) << "  " << printable(id) << '\n';
  }
  if (line.node->json) *line.around.out << to_text(json{{"alerts", results}}) << '\n';
  return code;
}

/// `90s`, `15m`, `4h`, `2d`: seconds; 0 for anything else.
std::int64_t seconds_of(const std::string& text) {
  if (text.size() < 2 || text.size() > 9) return 0;
  std::int64_t number = 0;
  for (const char c : text.substr(0, text.size() - 1)) {
    if (c < '0' || c > '9') return 0;
    number = number * 10 + (c - '0');
  }
  switch (text.back()) {
  case 's':
    return number;
  case 'm':
    return number * 60;
  case 'h':
    return number * 3'600;
  case 'd':
    return number * 86'400;
  default:
    return 0;
  }
}

int silence(const command_line& line, const silence_options& asked) {
  const auto seconds = seconds_of(asked.lasts);
  if (seconds <= 0) return complain(line, "--for reads like 90s, 15m, 4h or 2d, not '" + asked.lasts + "'.");
  int code = ok;
  const auto client = open_client(line, code);
  if (!client) return code;
  const auto answer =
      client->call("POST", "/cep/silences",
                   json{{"matchers", asked.matchers}, {"duration_seconds", seconds}, {"comment", asked.comment}});
  if (!answer) return report(line, answer.error());
  if (line.node->json) {
    *line.around.out << to_text(answer->data) << '\n';
    return ok;
  }
  const auto made = answer->data.value("silence", json::object());
  *line.around.out << "silence " << text_at(made, "silence_id") << " until " << text_at(made, "ends_at").substr(0, 19)
                   << "Z; it fits " << text_at(answer->data, "affected") << " live alerts now\n";
  return ok;
}

CLI::App* command(CLI::App& parent, command_line& line, const char* name, const char* description, const char* footer) {
  auto* out = parent.add_subcommand(name, description);
  add_node_flags(*out, line);
  out->footer(footer);
  return out;
}

} // namespace

void add_alert_commands(CLI::App& app, command_line& line) {
  auto* alert = app.add_subcommand("alert", "List, acknowledge and silence alerts");
  alert->require_subcommand(1);

  auto listed = std::make_shared<list_options>();
  auto* list = command(*alert, line, "list", "Alerts, by default those that are live",
                       "Examples:\n  tobit alert list\n  tobit alert list --status resolved --rule cpu-high\n"
                       "  tobit alert list --label host=db-1 --json");
  list->add_option("--status", listed->status, "live (default), pending, firing, resolved, inactive or all")
      ->check(CLI::IsMember({"live", "pending", "firing", "resolved", "inactive", "all"}))
      ->type_name("STATUS");
  list->add_option("--severity", listed->severity, "Only of this severity");
  list->add_option("--rule", listed->rule, "Only of this rule: its name or id");
  list->add_option("--label", listed->label, "Only with this label")->type_name("NAME=VALUE");
  list->callback([&line, listed] { line.chosen = [&line, listed] { return list_alerts(line, *listed); }; });

  auto ids = std::make_shared<std::vector<std::string>>();
  auto comment = std::make_shared<std::string>();
  auto* ack = command(*alert, line, "ack", "Say that you take care of alerts",
                      "No repeats and no further escalation follow.\n\nExample:\n"
                      "  tobit alert ack 01a2b3c4-0000-8000-8000-000000000001 --comment 'on it'");
  ack->add_option("ALERT", *ids, "Ids of alerts")->required();
  ack->add_option("--comment", *comment, "For the others");
  ack->callback(
      [&line, ids, comment] { line.chosen = [&line, ids, comment] { return acknowledge(line, *ids, *comment); }; });

  auto hushed = std::make_shared<silence_options>();
  auto* quiet = command(*alert, line, "silence", "Keep alerts that fit all matchers quiet for a time",
                        "A matcher reads like host=db-1, host!=db-1, host=~'db-.*' or host!~'db-.*'.\n\nExamples:\n"
                        "  tobit alert silence host=db-1 --for 2h --comment 'new disk'\n"
                        "  tobit alert silence 'rule_name=~cpu.*' severity=warning --for 1d");
  quiet->add_option("MATCHER", hushed->matchers, "What the alert's labels must be")->required();
  quiet->add_option("--for", hushed->lasts, "How long: 90s, 15m, 4h, 2d (default 1h)")->type_name("TIME");
  quiet->add_option("--comment", hushed->comment, "Why");
  quiet->callback([&line, hushed] { line.chosen = [&line, hushed] { return silence(line, *hushed); }; });
}

} // namespace tobit::cli
