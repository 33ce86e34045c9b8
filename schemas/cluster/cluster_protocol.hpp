#pragma once

#include "schemas/ids.hpp"
#include "schemas/message.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// What the nodes of a cluster say to each other about the cluster itself. Every message is a hint that saves a look
/// into the database: losing, repeating or reordering any of them delays the cluster and never harms it. Released
/// messages are frozen; a receiver ignores fields and messages that it does not know.
namespace tobit::cluster {

/// Versions of these messages that this program speaks. Two nodes talk if their ranges meet, in the highest both know.
inline constexpr std::int64_t protocol_min = 1;
inline constexpr std::int64_t protocol_max = 1;

/// One life of a node's process, numbered by the database in the order of joining. 0: none. Never used twice.
using incarnation_no = std::int64_t;
/// Rises each time a shard, or the leadership, changes hands. 0: never held.
using epoch_no = std::int64_t;
/// Rises with every change of members, leader or shards. Rows carry the version of their last change.
using cluster_version = std::int64_t;

/// Where one shard is: a row of the table `shard`.
struct shard_place {
  std::int64_t shard = 0;
  std::string owner;              ///< name of the node; empty: nobody
  incarnation_no incarnation = 0; ///< of the owner
  epoch_no epoch = 0;
  incarnation_no target = 0; ///< the owner shall stop the shard and hand it over to this one; 0: it stays
  cluster_version version = 0;

  bool operator==(const shard_place&) const = default;
};

/// The first message in both directions of a new connection. Whoever cannot go on answers `refuse_peer` and closes.
struct hello {
  static constexpr std::string_view wire_name = "tobit.cluster.hello.v1";
  std::string cluster_id;
  std::string node;
  incarnation_no incarnation = 0;
  std::int64_t protocol_min = 0, protocol_max = 0;
  std::string build;
  epoch_no leader_epoch = 0;   ///< the highest the sender has seen
  cluster_version version = 0; ///< the newest the sender knows
};

/// Why a connection is closed, for the log of the other side.
struct refuse_peer {
  static constexpr std::string_view wire_name = "tobit.cluster.refuse.v1";
  std::string reason; ///< wrong_cluster | protocol_incompatible
  std::string sentence;
};

/// These rows changed. Sent to every peer by whoever committed the change. It carries all steps of a move: `target` set
/// means stop, another owner means stopped, and the owner named in it activates.
struct shard_map_changed {
  static constexpr std::string_view wire_name = "tobit.cluster.shard_map_changed.v1";
  cluster_version version = 0; ///< of the change
  std::vector<shard_place> shards;
};

/// The sender leads from now on, or says so again to a new peer.
struct leader_announced {
  static constexpr std::string_view wire_name = "tobit.cluster.leader.v1";
  epoch_no epoch = 0;
  std::string node;
  incarnation_no incarnation = 0;
};

/// Members or leader changed in the database; the receiver looks if it does not know this version yet.
struct members_changed {
  static constexpr std::string_view wire_name = "tobit.cluster.members_changed.v1";
  cluster_version version = 0;
};

/// An operator wants the receiver to hand over its shards and leave.
struct drain_node {
  static constexpr std::string_view wire_name = "tobit.cluster.drain.v1";
  std::string node; ///< must be the receiver's name
  std::string reason;
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(shard_place, shard, owner, incarnation, epoch, target, version)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(hello, cluster_id, node, incarnation, protocol_min, protocol_max, build,
                                                leader_epoch, version)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(refuse_peer, reason, sentence)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(shard_map_changed, version, shards)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(leader_announced, epoch, node, incarnation)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(members_changed, version)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(drain_node, node, reason)

void register_cluster_messages();

} // namespace tobit::cluster
