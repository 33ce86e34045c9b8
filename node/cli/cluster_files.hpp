#pragma once

#include "cluster/transport/certificates.hpp"
#include "schemas/error.hpp"

#include <chrono>
#include <string>
#include <vector>

/// The folder that `tobit cluster init` makes: the authority, what the cluster is, and a folder per node that can be
/// carried to its machine. Everything is for its owner only.
///
///     DIR/cluster.json  authority.pem  authority.key        keep these safe; nodes do not need them
///     DIR/<node>/tobit.yaml  authority.pem  node.pem  node.key
namespace tobit::cli {

/// One node as it was asked for.
struct planned_node {
  std::string name;
  std::string http;    ///< host:port of the API
  std::string cluster; ///< host:port for the other nodes
};

/// `a,b,c` or `a=10.0.0.1,b=10.0.0.2`; a node without an address gets `host`. Nodes on one address get ports one after
/// the other, from the two first ones. Errors: validation_error (a name, an address, a name twice).
result<std::vector<planned_node>> plan_nodes(const std::string& nodes, const std::string& host, int http_port,
                                             int cluster_port);

class cluster_folder {
public:
  explicit cluster_folder(std::string path) : path_(std::move(path)) {}

  /// Makes the authority, a certificate per node and all files. Errors: configuration_error (the folder holds a
  /// cluster, cannot be written); then nothing of it is left.
  result<void> create(const std::string& cluster_id, const std::string& database,
                      const std::vector<planned_node>& nodes, std::chrono::hours valid);
  /// Takes away what `create` made, as far as it is still there.
  void remove_created();
  /// Reads what `create` made.
  result<void> open();
  /// Makes the folder of one more node, or a new certificate for one that is there (its tobit.yaml stays as it is).
  /// After `open`. Errors: configuration_error.
  result<void> add(const planned_node& node, std::chrono::hours valid);

  const std::string& cluster_id() const noexcept { return cluster_id_; }
  std::string config_of(const std::string& node) const { return path_ + "/" + node + "/tobit.yaml"; }
  bool has_config(const std::string& node) const;

private:
  result<void> write(const std::string& file, const std::string& text, bool replace = false);
  result<void> make(const std::string& folder);
  result<void> write_node(const planned_node& node, std::chrono::hours valid);

  std::string path_, cluster_id_, database_;
  cluster::key_pair authority_;
  std::vector<std::string> created_; ///< files and folders, in the order of their making
};

} // namespace tobit::cli
