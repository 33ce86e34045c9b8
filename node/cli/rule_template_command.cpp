#include "node/cli/rule_template_command.hpp"

#include "config/yaml_text.hpp"
#include "node/cli/definition_file.hpp"
#include "node/cli/rule_list.hpp"
#include "node/cli/text_table.hpp"

#include <CLI/CLI.hpp>

#include <array>
#include <ostream>

namespace tobit::cli {

namespace {

struct template_options {
  std::string id, name;
  std::vector<std::string> values;
  bool dry_run = false;
};

/// Without what only answers hold, so that the file can be applied again.
json portable(json rule) {
  static constexpr std::array<const char*, 7> answered{"tenant_id",  "version",    "status",    "last_error",
                                                       "created_at", "created_by", "updated_at"};
  for (const auto* field : answered) rule.erase(field);
  return rule;
}

int export_rules(const command_line& line, const std::string& trigger) {
  int code = ok;
  const auto client = open_client(line, code);
  if (!client) return code;
  const auto filter = trigger.empty() ? std::string{} : "&trigger_type=" + percent_encode(trigger);
  auto rules = fetch_all(*client, "/cep/rules?limit=500&sort=name" + filter, "rules");
  if (!rules) return report(line, rules.error());
  for (auto& rule : *rules) rule = portable(std::move(rule));
  *line.around.out << (line.node->json ? to_text(json{{"rules", *rules}}) + '\n' : config::to_yaml_documents(*rules));
  return ok;
}

int list_templates(const command_line& line) {
  int code = ok;
  const auto client = open_client(line, code);
  if (!client) return code;
  auto answer = client->call("GET", "/cep/templates");
  if (!answer) return report(line, answer.error());
  if (line.node->json) {
    *line.around.out << to_text(answer->data) << '\n';
    return ok;
  }
  text_table table({"ID", "CATEGORY", "TRIGGER", "TITLE"});
  for (const auto& one : answer->data["templates"])
    table.add({text_at(one, "id"), text_at(one, "category"), text_at(one, "trigger_type"), text_at(one, "title")});
  *line.around.out << table.str();
  return ok;
}

int show_template(const command_line& line, const std::string& id) {
  int code = ok;
  const auto client = open_client(line, code);
  if (!client) return code;
  auto answer = client->call("GET", "/cep/templates/" + percent_encode(id));
  if (!answer) return report(line, answer.error());
  const auto& shown = answer->data["template"];
  *line.around.out << (line.node->json ? to_text(shown) + '\n' : config::to_yaml(shown));
  return ok;
}

/// `name=value`: the value is read as in a YAML file, so that 90 is a number and [a, b] a list.
tl::expected<json, std::string> parameters_of(const std::vector<std::string>& values) {
  json out = json::object();
  for (const auto& one : values) {
    const auto equals = one.find('=');
    if (equals == std::string::npos || equals == 0) return tl::unexpected("--set takes name=value, not '" + one + "'.");
    const auto read =
        read_definitions("v: " + one.substr(equals + 1) + "\n", "--set " + one.substr(0, equals) + ".yaml");
    // A text with a colon or a brace is no YAML value: it is meant as it stands.
    out[one.substr(0, equals)] = read && read->size() == 1 && !read->front()["v"].is_object()
                                     ? read->front()["v"]
                                     : json(one.substr(equals + 1));
  }
  return out;
}

int apply_template(const command_line& line, const template_options& options) {
  auto parameters = parameters_of(options.values);
  if (!parameters) return complain(line, parameters.error());
  int code = ok;
  const auto client = open_client(line, code);
  if (!client) return code;
  json body{{"parameters", *parameters}, {"dry_run", options.dry_run}};
  if (!options.name.empty()) body["changes"] = {{"rule_name", options.name}};
  auto answer = client->call("POST", "/cep/templates/" + percent_encode(options.id) + "/instantiate", body);
  if (!answer) return report(line, answer.error());
  const auto& rule = answer->data["rule"];
  if (line.node->json)
    *line.around.out << to_text(answer->data) << '\n';
  else if (options.dry_run)
    *line.around.out << config::to_yaml(rule);
  else
    *line.around.out << "created  " << printable(text_at(rule, "rule_name")) << "  " << text_at(rule, "rule_id")
                     << '\n';
  return ok;
}

CLI::App* command(CLI::App& parent, command_line& line, const char* name, const char* description, const char* footer) {
  auto* out = parent.add_subcommand(name, description);
  add_node_flags(*out, line);
  out->footer(footer);
  return out;
}

} // namespace

void add_rule_export_command(CLI::App& rule, command_line& line) {
  auto trigger = std::make_shared<std::string>();
  auto* out = command(rule, line, "export", "All rules as YAML documents that can be applied again",
                      "Values of headers and secret parameters are shown as ***: applied to the rule that has them\n"
                      "they stay, a new rule needs them written out.\n\n"
                      "Examples:\n  tobit rule export > rules.yaml\n  tobit rule export --json > rules.json");
  out->add_option("--trigger", *trigger, "Only rules with this trigger")->type_name("TYPE");
  out->callback([&line, trigger] { line.chosen = [&line, trigger] { return export_rules(line, *trigger); }; });
}

void add_rule_template_commands(CLI::App& rule, command_line& line) {
  auto* group = rule.add_subcommand("template", "Rules with blanks to fill in");
  group->require_subcommand(1);

  auto* list = command(*group, line, "list", "All templates", "Example:\n  tobit rule template list");
  list->callback([&line] { line.chosen = [&line] { return list_templates(line); }; });

  auto options = std::make_shared<template_options>();
  auto* show = command(*group, line, "show", "One template: its parameters, the rule, an example",
                       "Example:\n  tobit rule template show host-cpu-busy");
  show->add_option("TEMPLATE", options->id, "The template's id")->required();
  show->callback([&line, options] { line.chosen = [&line, options] { return show_template(line, options->id); }; });

  auto* apply = command(*group, line, "apply", "Fill a template in and put the rule live",
                        "Examples:\n  tobit rule template apply host-cpu-busy --set threshold=90\n"
                        "  tobit rule template apply http-endpoint-down --set url=https://example.org --dry-run");
  apply->add_option("TEMPLATE", options->id, "The template's id")->required();
  apply->add_option("--set", options->values, "name=value; may be repeated")->type_name("NAME=VALUE")->take_all();
  apply->add_option("--name", options->name, "Name of the rule instead of the template's")->type_name("NAME");
  apply->add_flag("--dry-run", options->dry_run, "Only show the rule as it would be saved");
  apply->callback([&line, options] { line.chosen = [&line, options] { return apply_template(line, *options); }; });
}

} // namespace tobit::cli
