#include "node/cli/commands.hpp"
#include "node/cli/rule_apply.hpp"
#include "node/cli/rule_backtest.hpp"
#include "node/cli/rule_list.hpp"
#include "node/cli/rule_template_command.hpp"
#include "node/cli/rule_test.hpp"
#include "node/cli/text_table.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <ostream>

namespace tobit::cli {

namespace {

int list_rules(const command_line& line, const std::string& trigger) {
  int code = ok;
  const auto client = open_client(line, code);
  if (!client) return code;
  const auto filter = trigger.empty() ? std::string{} : "&trigger_type=" + percent_encode(trigger);
  auto rules = fetch_all(*client, "/cep/rules?limit=500" + filter, "rules");
  if (!rules) return report(line, rules.error());
  if (line.node->json) {
    *line.around.out << to_text(json{{"rules", *rules}}) << '\n';
    return ok;
  }
  if (rules->empty()) {
    *line.around.err << "No rules. Create some: tobit rule apply -f FILE\n";
    return ok;
  }
  text_table table({"NAME", "TRIGGER", "ACTIVE", "VERSION", "UPDATED", "ID"});
  for (const auto& rule : *rules)
    table.add({text_at(rule, "rule_name"), text_at(rule, "trigger_type"),
               text_at(rule, "is_active") == "true" ? "yes" : "no", text_at(rule, "version"),
               text_at(rule, "updated_at").substr(0, 19), text_at(rule, "rule_id")});
  *line.around.out << table.str();
  return ok;
}

int get_rule(const command_line& line, const std::string& which) {
  int code = ok;
  const auto client = open_client(line, code);
  if (!client) return code;
  const auto rule = find_rule(*client, which);
  if (!rule) return report(line, rule.error());
  *line.around.out << rule->dump(line.node->json ? -1 : 2, ' ', false, json::error_handler_t::replace) << '\n';
  return ok;
}

int delete_rules(const command_line& line, const std::vector<std::string>& which) {
  int code = ok;
  const auto client = open_client(line, code);
  if (!client) return code;
  json results = json::array();
  for (const auto& one : which) {
    auto rule = find_rule(*client, one);
    outcome<node_answer> answer;
    if (rule)
      answer = client->call("DELETE", "/cep/rules/" + percent_encode(text_at(*rule, "rule_id")));
    else
      answer = tl::unexpected<node_failure>(rule.error());
    if (!answer) {
      code = std::max(code, report(line, answer.error()));
      if (code == unreachable) break;
      continue;
    }
    results.push_back(
        {{"rule_id", text_at(*rule, "rule_id")}, {"rule_name", text_at(*rule, "rule_name")}, {"result", "deleted"}});
    if (!line.node->json)
      *line.around.out << "deleted  " << printable(text_at(*rule, "rule_name")) << "  " << text_at(*rule, "rule_id")
                       << '\n';
  }
  if (line.node->json) *line.around.out << to_text(json{{"rules", results}}) << '\n';
  return code;
}

CLI::App* command(CLI::App& parent, command_line& line, const char* name, const char* description, const char* footer) {
  auto* out = parent.add_subcommand(name, description);
  add_node_flags(*out, line);
  out->footer(footer);
  return out;
}

void add_test_command(CLI::App& rule, command_line& line) {
  auto options = std::make_shared<rule_test_options>();
  auto* test = rule.add_subcommand("test", "Run test files of rules; needs no node");
  test->add_option("FILE", options->files, "YAML files with rules and timelines")->required();
  test->add_option("--junit", options->junit, "Also write the results as JUnit XML")->type_name("FILE");
  test->add_option("--only", options->only, "Only tests whose name holds this text")->type_name("TEXT");
  test->add_flag("--json", line.node->json, "Print the result as JSON");
  test->footer("A test file holds rules and timelines; docs/rehearsal.md describes it.\n\n"
               "Examples:\n  tobit rule test tests/*.yaml\n  tobit rule test door.yaml --junit results.xml\n\n"
               "Exit codes: 0 all passed · 1 an expectation was not met · 2 a file cannot be read");
  test->callback([&line, options] { line.chosen = [&line, options] { return test_rules(line, *options); }; });
}

void add_backtest_command(CLI::App& rule, command_line& line) {
  auto options = std::make_shared<backtest_options>();
  auto* backtest = command(rule, line, "backtest", "Replay stored events through a rule",
                           "Nothing is sent and nothing of the rule changes.\n\n"
                           "Examples:\n  tobit rule backtest door-open --from 24h\n"
                           "  tobit rule backtest door-open --from 2026-11-01T00:00:00Z --to 2026-11-02T00:00:00Z\n"
                           "  tobit rule backtest door-open --from 7d --file changed.yaml --json");
  backtest->add_option("RULE", options->rule, "The rule's name or id")->required();
  backtest->add_option("--from", options->from, "A time, or how long ago, e.g. 24h")->required()->type_name("TIME");
  backtest->add_option("--to", options->to, "A time, or how long ago (default: now)")->type_name("TIME");
  backtest->add_option("--file", options->file, "Try this definition instead of the live one")->type_name("FILE");
  backtest->add_flag("!--no-alerting", options->alerting, "Leave out alerting and channels");
  backtest->callback([&line, options] { line.chosen = [&line, options] { return backtest_rule(line, *options); }; });
}

} // namespace

void add_rule_commands(CLI::App& app, command_line& line) {
  auto* rule = app.add_subcommand("rule", "List, read, create, update and delete rules");
  rule->require_subcommand(1);

  auto trigger = std::make_shared<std::string>();
  auto* list = command(*rule, line, "list", "All rules of the node",
                       "Examples:\n  tobit rule list --trigger schedule\n  tobit rule list --json > rules.json");
  list->add_option("--trigger", *trigger, "Only rules with this trigger")->type_name("schedule|metric|event|anomaly");
  list->callback([&line, trigger] { line.chosen = [&line, trigger] { return list_rules(line, *trigger); }; });

  auto which = std::make_shared<std::string>();
  auto* get = command(*rule, line, "get", "One rule as JSON",
                      "Examples:\n  tobit rule get cpu-high\n  tobit rule get 01939f4e-5c1d-7c3a-9f0e-1b2a3c4d5e6f");
  get->add_option("RULE", *which, "The rule's name or id")->required();
  get->callback([&line, which] { line.chosen = [&line, which] { return get_rule(line, *which); }; });

  auto options = std::make_shared<apply_options>();
  auto* apply =
      command(*rule, line, "apply", "Create or update rules from a file",
              "A file holds one rule, a list, several YAML documents, or what `tobit rule list --json` prints.\n"
              "A rule with a rule_id is updated by it (or created), one without by its rule_name; one that is\n"
              "already as wanted is left alone.\n\n"
              "Examples:\n  tobit rule apply -f rules.yaml\n  tobit rule apply -f a.json -f b.yaml --dry-run\n"
              "  tobit rule list --json --url http://old:8000 | tobit rule apply -f -");
  apply->add_option("-f,--file", options->files, "JSON or YAML file; - for standard input; may be repeated")
      ->required()
      ->type_name("FILE")
      ->expected(1)
      ->take_all();
  apply->add_option("--parallel", options->parallel, "Requests under way (default 16)")
      ->check(CLI::Range(1, 256))
      ->type_name("N");
  apply->add_flag("--dry-run", options->dry_run, "Only say what would be done");
  apply->callback([&line, options] { line.chosen = [&line, options] { return apply_rules(line, *options); }; });

  add_rule_export_command(*rule, line);
  add_rule_template_commands(*rule, line);
  add_test_command(*rule, line);
  add_backtest_command(*rule, line);

  auto doomed = std::make_shared<std::vector<std::string>>();
  auto* remove = command(*rule, line, "delete", "Delete rules; their history stays",
                         "Example:\n  tobit rule delete cpu-high disk-full");
  remove->add_option("RULE", *doomed, "Names or ids")->required();
  remove->callback([&line, doomed] { line.chosen = [&line, doomed] { return delete_rules(line, *doomed); }; });
}

} // namespace tobit::cli
