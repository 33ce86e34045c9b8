#pragma once

#include "schemas/error.hpp"

#include <chrono>
#include <cstddef>
#include <string>

/// The cluster's own certificates (X.509, ECDSA P-256, for TLS 1.3). The authority signs nothing but this cluster's
/// nodes; a node's certificate names the cluster and the node, and both are checked by its peers.
namespace tobit::cluster {

struct key_pair {
  std::string certificate_pem, key_pem;
};

/// Longest name of a cluster or a node, in bytes.
inline constexpr std::size_t certified_name_max = 100;

/// Valid from ten minutes ago, for clocks that differ. Errors: internal_server_error (the cryptographic library failed,
/// or the authority cannot be read), validation_error (a name is empty or too long).
result<key_pair> make_authority(const std::string& cluster_id, std::chrono::hours valid);
result<key_pair> issue_certificate(const key_pair& authority, const std::string& cluster_id, const std::string& node,
                                   std::chrono::hours valid);

/// Names of the cluster and node in a certificate that `issue_certificate` made. Errors: validation_error.
struct certified {
  std::string cluster_id, node;
  std::chrono::system_clock::time_point until;
};
result<certified> read_certificate(const std::string& pem);

} // namespace tobit::cluster
