#include "node/cli/cluster_init.hpp"
#include "node/cli/commands.hpp"
#include "node/cli/rule_list.hpp"
#include "node/cli/text_table.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <ostream>

namespace tobit::cli {

namespace {

/// The rows of a list in an answer; none if they are not there.
json rows_of(const json& data, const char* name) {
  return data.is_object() ? data.value(name, json::array()) : json::array();
}

std::string yes(const json& row, const char* name) {
  const auto found = row.find(name);
  return found != row.end() && found->is_boolean() && found->get<bool>() ? "yes" : "";
}

/// `2.4 s`; by how much it is over for a lease that has run out.
std::string lease_of(const json& row) {
  const auto found = row.find("lease_left_ms");
  if (found == row.end() || !found->is_number()) return {};
  const auto ms = found->get<double>();
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s%s", (ms < 0 ? -ms : ms) / 1'000, ms < 0 ? " over" : "");
  return text;
}

/// `1`, or `1 to 2`.
std::string protocol_of(const json& row) {
  const auto found = row.find("protocol");
  if (found == row.end() || !found->is_array() || found->size() != 2) return text_at(row, "protocol");
  const auto least = to_text((*found)[0]), most = to_text((*found)[1]);
  return least == most ? least : least + " to " + most;
}

/// What a node that did not answer in time left to say.
std::string silence_of(const json& row) {
  const auto found = row.find("answered");
  if (found == row.end() || !found->is_boolean() || found->get<bool>()) return {};
  const auto why = text_at(row, "error");
  return "does not answer" + (why.empty() ? "" : ": " + why);
}

/// Asks, and prints the answer as JSON or by `print`.
int show(const command_line& line, const std::string& path, const std::function<void(const json&)>& print) {
  int code = ok;
  const auto client = open_client(line, code);
  if (!client) return code;
  const auto answer = client->call("GET", path);
  if (!answer) return report(line, answer.error());
  if (line.node->json)
    *line.around.out << to_text(answer->data) << '\n';
  else
    print(answer->data);
  return ok;
}

int show_nodes(const command_line& line) {
  return show(line, "/cluster/nodes", [&line](const json& data) {
    text_table table({"NODE", "INCARNATION", "STATUS", "ADDRESS", "BUILD", "PROTOCOL", "LEASE", "SHARDS", "LEADER",
                      "LINKED", "NOTE"});
    for (const auto& row : rows_of(data, "nodes"))
      table.add({text_at(row, "node"), text_at(row, "incarnation"), text_at(row, "status"), text_at(row, "address"),
                 text_at(row, "build"), protocol_of(row), lease_of(row), text_at(row, "shards"), yes(row, "leader"),
                 yes(row, "linked"), silence_of(row)});
    *line.around.out << table.str();
  });
}

int show_shards(const command_line& line, const std::string& owner) {
  return show(line, "/cluster/shards", [&line, &owner](const json& data) {
    text_table table({"SHARD", "OWNER", "INCARNATION", "EPOCH", "TARGET"});
    for (const auto& row : rows_of(data, "shards")) {
      if (!owner.empty() && text_at(row, "owner") != owner) continue;
      const auto target = text_at(row, "target");
      table.add({text_at(row, "shard"), text_at(row, "owner"), text_at(row, "incarnation"), text_at(row, "epoch"),
                 target == "0" ? "" : target});
    }
    *line.around.out << table.str();
  });
}

int show_leader(const command_line& line) {
  return show(line, "/cluster/leader", [&line](const json& data) {
    const auto leader = data.is_object() ? data.value("leader", json()) : json();
    if (!leader.is_object() || text_at(leader, "node").empty()) {
      *line.around.out << "Nobody leads at the moment.\n";
      return;
    }
    *line.around.out << printable(text_at(leader, "node")) << " leads (incarnation "
                     << printable(text_at(leader, "incarnation")) << ", epoch " << printable(text_at(leader, "epoch"))
                     << ")\n";
  });
}

int order(const command_line& line, const char* method, const std::string& node, const std::string& suffix,
          const char* said) {
  int code = ok;
  const auto client = open_client(line, code);
  if (!client) return code;
  const auto path = "/cluster/nodes/" + percent_encode(node) + suffix;
  const auto answer = client->call(method, path, suffix.empty() ? json() : json::object());
  if (!answer) return report(line, answer.error());
  if (line.node->json)
    *line.around.out << to_text(answer->data.is_null() ? json{{"node", node}} : answer->data) << '\n';
  else
    *line.around.out << printable(node) << ' ' << said << '\n';
  return ok;
}

CLI::App* look(CLI::App& cluster, command_line& line, const char* name, const char* description) {
  auto* command = cluster.add_subcommand(name, description);
  add_node_flags(*command, line);
  return command;
}

void add_orders(CLI::App& cluster, command_line& line) {
  auto node = std::make_shared<std::string>();
  auto* drain = look(cluster, line, "drain", "Let a node hand over its shards and leave");
  drain->add_option("NODE", *node, "Name, as `tobit cluster status` shows it")->required();
  drain->footer(
      "Requests are not disturbed. The process goes on until it is stopped; stopping it drains it as well.\n\n"
      "Example:\n  tobit cluster drain b");
  drain->callback([&line, node] {
    line.chosen = [&line, node] {
      return order(line, "POST", *node, "/drain", "hands over its shards; `tobit cluster status` shows how far it is.");
    };
  });
  auto* remove = look(cluster, line, "remove", "Forget a node that is gone and does not come back");
  remove->add_option("NODE", *node, "Name, as `tobit cluster status` shows it")->required();
  remove->footer("A node that still answers is refused: drain it, or stop it.\n\nExample:\n  tobit cluster remove b");
  remove->callback(
      [&line, node] { line.chosen = [&line, node] { return order(line, "DELETE", *node, "", "is removed."); }; });
}

} // namespace

void add_cluster_commands(CLI::App& app, command_line& line) {
  auto* cluster = app.add_subcommand("cluster", "Make a cluster of several nodes, and look at it");
  cluster->require_subcommand(1);
  add_cluster_founding(*cluster, line);

  auto* status = look(*cluster, line, "status", "The nodes: status, lease, shards, who leads");
  status->footer("Example:\n  tobit cluster status --url http://10.0.0.1:8000");
  status->callback([&line] { line.chosen = [&line] { return show_nodes(line); }; });

  auto owner = std::make_shared<std::string>();
  auto* shards = look(*cluster, line, "shards", "Where each shard is, and where it is going");
  shards->add_option("--node", *owner, "Only those of this node")->type_name("NAME");
  shards->footer("Example:\n  tobit cluster shards --node a");
  shards->callback([&line, owner] { line.chosen = [&line, owner] { return show_shards(line, *owner); }; });

  auto* leader = look(*cluster, line, "leader", "Who leads, and since which epoch");
  leader->callback([&line] { line.chosen = [&line] { return show_leader(line); }; });
  add_orders(*cluster, line);
}

} // namespace tobit::cli
