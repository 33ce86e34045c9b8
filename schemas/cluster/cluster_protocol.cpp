#include "schemas/cluster/cluster_protocol.hpp"

namespace tobit::cluster {

void register_cluster_messages() {
  register_messages<hello, refuse_peer, shard_map_changed, leader_announced, members_changed, drain_node>();
}

} // namespace tobit::cluster
