#include "node/cli/cluster_files.hpp"

#include "config/formats.hpp"
#include "schemas/json.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace tobit::cli {

namespace {

namespace fs = std::filesystem;

error cannot(const std::string& what) {
  return {error_code::configuration_error,
          what + " cannot be written (" + std::strerror(errno) + "); choose another folder with --dir."};
}

std::string joined(const std::string& host, int port) {
  const bool bare_v6 = host.find(':') != std::string::npos && host.front() != '[';
  return (bare_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

result<std::string> read(const std::string& file) {
  std::ifstream in{file, std::ios::binary};
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in)
    return fail(error_code::configuration_error,
                "'" + file + "' cannot be read; --dir names the folder that `tobit cluster init` made.");
  return text.str();
}

/// A JSON text is also YAML.
std::string quoted(const std::string& text) { return json(text).dump(); }

std::string config_text(const planned_node& node, const std::string& folder, const std::string& cluster_id,
                        const std::string& database) {
  std::ostringstream out;
  out << "# Node " << node.name << " of the cluster " << cluster_id << ", made by `tobit cluster init`.\n"
      << "# Change the paths if this folder lies elsewhere on the node's machine.\n"
      << "data_dir: " << quoted(folder + "/data") << "\n"
      << "node:\n  id: " << quoted(node.name) << "\n"
      << "http:\n  address: " << quoted(node.http) << "\n"
      << "database:\n  url: " << quoted(database) << "\n"
      << "cluster:\n  id: " << quoted(cluster_id) << "\n  listen: " << quoted(node.cluster) << "\n"
      << "  authority: " << quoted(folder + "/authority.pem") << "\n"
      << "  certificate: " << quoted(folder + "/node.pem") << "\n"
      << "  key: " << quoted(folder + "/node.key") << "\n";
  return out.str();
}

} // namespace

result<std::vector<planned_node>> plan_nodes(const std::string& nodes, const std::string& host, int http_port,
                                             int cluster_port) {
  const auto refuse = [](const std::string& sentence) { return fail(error_code::validation_error, sentence); };
  std::vector<planned_node> planned;
  std::set<std::string> names;
  std::map<std::string, int> on_host;
  for (const auto& entry : config::split_list(nodes)) {
    const auto equals = entry.find('=');
    planned_node node;
    node.name = entry.substr(0, equals);
    if (auto wrong = config::format_violation("name", node.name))
      return refuse("The node name '" + node.name + "' " + *wrong + ".");
    if (node.name.front() == '.') return refuse("The node name '" + node.name + "' must not begin with a dot.");
    if (!names.insert(node.name).second) return refuse("The node name '" + node.name + "' is there twice.");
    const auto at = equals == std::string::npos ? host : entry.substr(equals + 1);
    const auto nth = on_host[at]++;
    node.http = joined(at, http_port == 0 ? 0 : http_port + nth);
    node.cluster = joined(at, cluster_port + nth);
    if (auto wrong = config::format_violation("host:port", node.cluster))
      return refuse("The address '" + at + "' of node '" + node.name + "' is not an IP address.");
    planned.push_back(std::move(node));
  }
  if (planned.empty()) return refuse("Name the nodes, e.g. --nodes a,b,c.");
  return planned;
}

result<void> cluster_folder::make(const std::string& folder) {
  if (fs::is_directory(folder)) return {};
  if (::mkdir(folder.c_str(), 0700) != 0) return fail(cannot("The folder '" + folder + "'"));
  created_.push_back(folder);
  return {};
}

result<void> cluster_folder::write(const std::string& file, const std::string& text, bool replace) {
  const auto beside = file + ".new";
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return fail(cannot("'" + file + "'"));
  const auto written = ::write(fd, text.data(), text.size());
  const bool whole = written == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  ::close(fd);
  // A link does not overwrite, a rename does.
  const int placed = !whole    ? -1
                     : replace ? ::rename(beside.c_str(), file.c_str())
                               : ::link(beside.c_str(), file.c_str());
  auto outcome = placed == 0 ? result<void>{} : result<void>{fail(cannot("'" + file + "'"))};
  ::unlink(beside.c_str());
  if (outcome && !replace) created_.push_back(file);
  return outcome;
}

result<void> cluster_folder::create(const std::string& cluster_id, const std::string& database,
                                    const std::vector<planned_node>& nodes, std::chrono::hours valid) {
  if (fs::exists(path_ + "/cluster.json"))
    return fail(error_code::configuration_error,
                "The folder '" + path_ + "' holds a cluster already; `tobit cluster certificate` adds a node to it.");
  cluster_id_ = cluster_id;
  database_ = database;
  const auto all = [&]() -> result<void> {
    auto authority = cluster::make_authority(cluster_id, valid);
    if (!authority) return fail(authority.error());
    authority_ = std::move(*authority);
    if (auto parent = fs::path(path_).parent_path(); !parent.empty()) {
      std::error_code ignored;
      fs::create_directories(parent, ignored);
    }
    if (auto made = make(path_); !made) return made;
    path_ = fs::canonical(path_).string();
    if (auto done = write(path_ + "/authority.pem", authority_.certificate_pem); !done) return done;
    if (auto done = write(path_ + "/authority.key", authority_.key_pem); !done) return done;
    for (const auto& node : nodes)
      if (auto done = write_node(node, valid); !done) return done;
    return write(path_ + "/cluster.json", json{{"cluster_id", cluster_id}, {"database", database}}.dump(2) + "\n");
  };
  auto done = all();
  if (!done) remove_created();
  return done;
}

void cluster_folder::remove_created() {
  std::error_code ignored;
  for (auto it = created_.rbegin(); it != created_.rend(); ++it) fs::remove(*it, ignored); // no folder that is in use
  created_.clear();
}

result<void> cluster_folder::open() {
  auto what = read(path_ + "/cluster.json"), certificate = read(path_ + "/authority.pem"),
       key = read(path_ + "/authority.key");
  for (const auto* text : {&what, &certificate, &key})
    if (!*text) return fail(text->error());
  const auto parsed = parse_json(*what);
  if (!parsed || !parsed->is_object() || parsed->value("cluster_id", json()).is_string() == false)
    return fail(error_code::configuration_error, "'" + path_ + "/cluster.json' is damaged; restore it from a backup.");
  cluster_id_ = (*parsed)["cluster_id"].get<std::string>();
  if (const auto& url = (*parsed)["database"]; url.is_string()) database_ = url.get<std::string>();
  authority_ = {std::move(*certificate), std::move(*key)};
  path_ = fs::canonical(path_).string();
  return {};
}

bool cluster_folder::has_config(const std::string& node) const { return fs::exists(config_of(node)); }

result<void> cluster_folder::add(const planned_node& node, std::chrono::hours valid) {
  auto done = write_node(node, valid);
  if (!done) remove_created();
  return done;
}

result<void> cluster_folder::write_node(const planned_node& node, std::chrono::hours valid) {
  auto issued = cluster::issue_certificate(authority_, cluster_id_, node.name, valid);
  if (!issued) return fail(issued.error());
  const auto folder = path_ + "/" + node.name;
  if (auto made = make(folder); !made) return made;
  const bool again = has_config(node.name);
  if (auto done = write(folder + "/authority.pem", authority_.certificate_pem, again); !done) return done;
  if (auto done = write(folder + "/node.pem", issued->certificate_pem, again); !done) return done;
  if (auto done = write(folder + "/node.key", issued->key_pem, again); !done || again) return done;
  return write(folder + "/tobit.yaml", config_text(node, folder, cluster_id_, database_));
}

} // namespace tobit::cli
