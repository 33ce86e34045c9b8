#include "node/cli/commands.hpp"
#include "node/cli/rule_list.hpp"
#include "node/cli/text_table.hpp"

#include <CLI/CLI.hpp>

#include <ostream>

namespace tobit::cli {

namespace {

struct actor_filter {
  std::string kind, status, search, sort;
  std::size_t limit = 100;
};

std::string query_of(const actor_filter& filter) {
  std::string query = "?limit=" + std::to_string(filter.limit);
  const auto add = [&query](const char* name, const std::string& value) {
    if (!value.empty()) query += std::string("&") + name + "=" + percent_encode(value);
  };
  add("kind", filter.kind);
  add("status", filter.status);
  add("q", filter.search);
  add("sort", filter.sort);
  return query;
}

int list_actors(const command_line& line, const actor_filter& filter) {
  int code = ok;
  const auto client = open_client(line, code);
  if (!client) return code;
  const auto answer = client->call("GET", "/actors" + query_of(filter));
  if (!answer) return report(line, answer.error());
  if (line.node->json) {
    *line.around.out << to_text(json{{"actors", answer->data.value("actors", json::array())},
                                     {"metadata", answer->metadata}})
                     << '\n';
    return ok;
  }
  const auto rows = answer->data.is_object() ? answer->data.value("actors", json::array()) : json::array();
  text_table table({"KIND", "KEY", "STATUS", "VERSION", "MAILBOX", "RESTARTS", "NAME", "LAST ERROR"});
  for (const auto& row : rows)
    table.add({text_at(row, "kind"), text_at(row, "key"), text_at(row, "status"), text_at(row, "version"),
               text_at(row, "mailbox"), text_at(row, "restarts"), text_at(row, "name"),
               text_at(row, "last_error").substr(0, 80)});
  *line.around.out << table.str();
  if (!text_at(answer->metadata, "next_cursor").empty())
    *line.around.err << "There are more; narrow the list (--kind, --status, --search) or raise --limit.\n";
  return ok;
}

/// An object as indented `name: value` lines.
void outline(std::ostream& out, const json& value, const std::string& indent) {
  for (const auto& [name, inner] : value.items()) {
    out << indent << printable(value.is_array() ? "-" : name + ":");
    if (inner.is_structured() && !inner.empty() && indent.size() < 12) {
      out << '\n';
      outline(out, inner, indent + "  ");
    } else {
      out << ' ' << printable(inner.is_string() ? inner.get<std::string>() : to_text(inner)) << '\n';
    }
  }
}

int inspect_actor(const command_line& line, const std::string& kind, const std::string& key) {
  int code = ok;
  const auto client = open_client(line, code);
  if (!client) return code;
  const auto answer = client->call("GET", "/actors/" + percent_encode(kind) + "/" + percent_encode(key));
  if (!answer) return report(line, answer.error());
  const auto& data = answer->data;
  if (line.node->json) {
    *line.around.out << to_text(data) << '\n';
    return ok;
  }
  const bool whole = data.is_object() && data.contains("actor");
  outline(*line.around.out, whole ? data["actor"] : data, "");
  const auto history = whole ? data.value("restart_history", json::array()) : json::array();
  if (!history.empty()) *line.around.out << "restart_history:\n";
  outline(*line.around.out, history, "  ");
  return ok;
}

struct actor_order {
  std::string kind, key, reason;
};

int control_actor(const command_line& line, const std::string& action, const actor_order& order) {
  int code = ok;
  const auto client = open_client(line, code);
  if (!client) return code;
  const auto path = "/actors/" + percent_encode(order.kind) + "/" + percent_encode(order.key) + "/" + action;
  const auto answer =
      client->call("POST", path, order.reason.empty() ? json::object() : json{{"reason", order.reason}});
  if (!answer) return report(line, answer.error());
  if (line.node->json)
    *line.around.out << to_text(json{{"kind", order.kind}, {"key", order.key}, {"action", action}, {"result", "done"}})
                     << '\n';
  else
    *line.around.out << action << " done: " << printable(order.kind) << "/" << printable(order.key) << '\n';
  return ok;
}

void add_order(CLI::App& actors, command_line& line, const std::string& action, const char* description) {
  auto order = std::make_shared<actor_order>();
  auto* command = actors.add_subcommand(action, description);
  add_node_flags(*command, line);
  command->add_option("KIND", order->kind, "Kind, e.g. rule")->required();
  command->add_option("KEY", order->key, "Key, as in the list")->required();
  command->add_option("--reason", order->reason, "Why; goes to the audit log")->type_name("TEXT");
  command->footer("Example:\n  tobit actors " + action +
                  " rule 01939f4e-5c1d-7c3a-9f0e-1b2a3c4d5e6f --reason 'hangs since noon'");
  command->callback(
      [&line, action, order] { line.chosen = [&line, action, order] { return control_actor(line, action, *order); }; });
}

void add_list_flags(CLI::App& command, command_line& line, const std::shared_ptr<actor_filter>& filter) {
  add_node_flags(command, line);
  command.add_option("--kind", filter->kind, "Only this kind, e.g. rule")->type_name("KIND");
  command.add_option("--status", filter->status, "Only this status")
      ->type_name("active|sleeping|quarantined|disabled|deleted");
  command.add_option("--search", filter->search, "Only keys and names with this text")->type_name("TEXT");
  command.add_option("--sort", filter->sort, "Order (default updated)")->type_name("updated|name|created|restarts");
  command.add_option("--limit", filter->limit, "Rows (default 100)")->check(CLI::Range(1, 500))->type_name("N");
}

} // namespace

void add_actor_commands(CLI::App& app, command_line& line) {
  auto* actors = app.add_subcommand("actors", "Look into and control what lives on the node");
  actors->require_subcommand(0, 1);

  auto filter = std::make_shared<actor_filter>();
  add_list_flags(*actors, line, filter);
  actors->footer("Without a command it lists, as `tobit actors list` does.");
  actors->callback([&line, actors, filter] {
    if (actors->get_subcommands().empty()) line.chosen = [&line, filter] { return list_actors(line, *filter); };
  });
  auto* list = actors->add_subcommand("list", "Entities with their status, mailbox and restarts");
  add_list_flags(*list, line, filter);
  list->footer("Examples:\n  tobit actors list --status quarantined\n  tobit actors list --kind rule --json");
  list->callback([&line, filter] { line.chosen = [&line, filter] { return list_actors(line, *filter); }; });

  auto order = std::make_shared<actor_order>();
  auto* inspect =
      actors->add_subcommand("inspect", "Everything about one: state, mailbox, timers, restarts, last error");
  add_node_flags(*inspect, line);
  inspect->add_option("KIND", order->kind, "Kind, e.g. rule")->required();
  inspect->add_option("KEY", order->key, "Key, as in the list")->required();
  inspect->footer("Example:\n  tobit actors inspect rule 01939f4e-5c1d-7c3a-9f0e-1b2a3c4d5e6f");
  inspect->callback(
      [&line, order] { line.chosen = [&line, order] { return inspect_actor(line, order->kind, order->key); }; });

  add_order(*actors, line, "restart", "End the actor and start it again from its stored state");
  add_order(*actors, line, "stop", "Put the actor to sleep; the next message wakes it");
  add_order(*actors, line, "revive", "Bring a quarantined one back");
  add_order(*actors, line, "quarantine", "Set it aside until somebody revives it");
  add_order(*actors, line, "reload", "Read its definition again");
}

} // namespace tobit::cli
