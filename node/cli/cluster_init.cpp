#include "node/cli/cluster_init.hpp"

#include "cluster/store/cluster_founding.hpp"
#include "node/cli/cluster_files.hpp"
#include "node/cli/text_table.hpp"
#include "runtime/storage/postgres_url.hpp"
#include "schemas/ids.hpp"

#include <CLI/CLI.hpp>

#include <ostream>

namespace tobit::cli {

namespace {

struct founding {
  std::string database, folder = "cluster", nodes, host = "127.0.0.1";
  int http_port = 8000, cluster_port = 8700, days = 3'650, shards = 256;
  std::chrono::hours valid() const { return std::chrono::hours{24} * days; }
};

void tell_next(const command_line& line, const cluster_folder& folder, const std::vector<planned_node>& nodes) {
  auto& out = *line.around.out;
  text_table table({"NODE", "API", "CLUSTER PORT", "CONFIGURATION"});
  for (const auto& node : nodes) table.add({node.name, node.http, node.cluster, folder.config_of(node.name)});
  out << table.str()
      << "\nCarry each node's folder to its machine, correct the paths in tobit.yaml if it has another place, and "
         "start it:\n"
      << "  tobit serve --config " << folder.config_of(nodes.front().name) << "\n"
      << "Then look at the whole:  tobit cluster status\n";
}

int found(const command_line& line, const founding& asked) {
  const auto database = asked.database.empty() ? line.around.variable("TOBIT_DATABASE_URL") : asked.database;
  if (database.empty())
    return complain(line, "Name the PostgreSQL database: --database postgresql://user:password@host/name, or "
                          "TOBIT_DATABASE_URL.");
  auto nodes = plan_nodes(asked.nodes, asked.host, asked.http_port, asked.cluster_port);
  if (!nodes) return report(line, nodes.error());
  quieten_libraries();
  const auto cluster_id = "c-" + new_uuid();
  cluster_folder folder{asked.folder};
  if (auto made = folder.create(cluster_id, database, *nodes, asked.valid()); !made) return report(line, made.error());
  // Last: from here on no single node takes the store.
  auto founded = cluster::found_cluster(database, cluster_id, static_cast<entity::shard_id>(asked.shards));
  if (!founded) {
    folder.remove_created();
    return report(line, founded.error());
  }
  if (line.node->json) {
    json made = json::array();
    for (const auto& node : *nodes)
      made.push_back({{"node", node.name}, {"config", folder.config_of(node.name)}, {"http", node.http}});
    *line.around.out << to_text(
                            json{{"cluster_id", cluster_id}, {"shard_count", founded->shard_count}, {"nodes", made}})
                     << '\n';
    return ok;
  }
  *line.around.out << "The cluster " << cluster_id << " has " << founded->shard_count << " shards in "
                   << printable(storage::without_secrets(database))
                   << (founded->had_rows ? ", with what a single node kept there.\n\n" : ".\n\n");
  tell_next(line, folder, *nodes);
  return ok;
}

int certify(const command_line& line, const founding& asked) {
  auto nodes = plan_nodes(asked.nodes, asked.host, asked.http_port, asked.cluster_port);
  if (!nodes) return report(line, nodes.error());
  cluster_folder folder{asked.folder};
  if (auto opened = folder.open(); !opened) return report(line, opened.error());
  for (const auto& node : *nodes) {
    const bool again = folder.has_config(node.name);
    if (auto added = folder.add(node, asked.valid()); !added) return report(line, added.error());
    if (line.node->json) {
      *line.around.out << to_text(json{{"node", node.name}, {"config", folder.config_of(node.name)}, {"again", again}})
                       << '\n';
      continue;
    }
    *line.around.out << (again ? "A new certificate for the node " : "The node ") << node.name
                     << (again ? "; restart it with " : " can join: tobit serve --config ")
                     << folder.config_of(node.name) << '\n';
  }
  return ok;
}

void add_common(CLI::App& command, command_line& line, founding& into) {
  command.add_option("--dir", into.folder, "Folder for certificates and configurations")
      ->type_name("PATH")
      ->capture_default_str();
  command.add_option("--host", into.host, "IP address of nodes that name none")->type_name("IP")->capture_default_str();
  command.add_option("--http-port", into.http_port, "First port of the API; nodes on one address get the next ones")
      ->check(CLI::Range(0, 65'000))
      ->capture_default_str();
  command.add_option("--cluster-port", into.cluster_port, "First port for the other nodes")
      ->check(CLI::Range(1, 65'000))
      ->capture_default_str();
  command.add_option("--days", into.days, "How long certificates are valid")
      ->check(CLI::Range(1, 36'500))
      ->capture_default_str();
  command.add_flag("--json", line.node->json, "Print the result as JSON");
}

} // namespace

void add_cluster_founding(CLI::App& cluster, command_line& line) {
  auto asked = std::make_shared<founding>();
  auto* init = cluster.add_subcommand("init", "Make a cluster: its row in PostgreSQL, certificates, configurations");
  add_common(*init, line, *asked);
  init->add_option("--database", asked->database, "postgresql://user:password@host/name; also TOBIT_DATABASE_URL")
      ->type_name("URL");
  init->add_option("--nodes", asked->nodes, "Names, with addresses if they differ: a,b,c or a=10.0.0.1,b=10.0.0.2")
      ->required()
      ->type_name("LIST");
  init->add_option("--shards", asked->shards, "Shards of a new store; it keeps them for ever")
      ->check(CLI::Range(1, 65'536))
      ->capture_default_str();
  init->footer("The database may be empty, or that of a single node that is stopped. The folder's authority.key makes\n"
               "certificates for this cluster: keep it safe.\n\nExamples:\n"
               "  tobit cluster init --database postgresql://tobit@db/tobit --nodes a=10.0.0.1,b=10.0.0.2,c=10.0.0.3\n"
               "  tobit cluster init --database postgresql://tobit@127.0.0.1/tobit --nodes a,b,c --dir ./three");
  init->callback([&line, asked] { line.chosen = [&line, asked] { return found(line, *asked); }; });

  auto more = std::make_shared<founding>();
  auto* certificate = cluster.add_subcommand("certificate", "Make the files of a later node, or a new certificate");
  add_common(*certificate, line, *more);
  certificate->add_option("--node", more->nodes, "Name, with its address if it is not --host: d or d=10.0.0.4")
      ->required()
      ->type_name("NAME");
  certificate->footer(
      "Example:\n  tobit cluster certificate --dir ./three --node d --http-port 8003 --cluster-port 8703");
  certificate->callback([&line, more] { line.chosen = [&line, more] { return certify(line, *more); }; });
}

} // namespace tobit::cli
