#include "schemas/cluster/cluster_protocol.hpp"

#include "schemas/cluster/node_protocol.hpp"

namespace tobit::cluster {

void register_cluster_messages() {
  register_messages<hello, refuse_peer, shard_map_changed, leader_announced, members_changed, drain_node, interest_news,
                    stream_news, append_events, events_appended, inspect_polling, inspect_node, list_residents,
                    read_metric, document>();
}

} // namespace tobit::cluster
