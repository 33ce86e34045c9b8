#pragma once

#include "runtime/entity/placement.hpp"
#include "schemas/cluster/cluster_protocol.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

/// What the protocol asks of the database, as values. Each command is one transaction. `cluster_statements.hpp` has
/// their SQL, the simulation their meaning. Commands are answered exactly once, after `cluster_times::command_timeout`
/// at the latest; an answer that comes too late becomes `outcome::unknown`.
namespace tobit::cluster {

using entity::shard_id;

/// What a node says about itself when it joins.
struct node_profile {
  std::string node;    ///< unique in the cluster
  std::string address; ///< where peers connect
  std::string build;
  std::string cluster_id;
  std::string settings; ///< digest of what must be equal on every node
  std::int64_t lowest_protocol = protocol_min, highest_protocol = protocol_max;
};

/// Draws an incarnation, takes its liveness lock on a new liveness session, and inserts the node. An older incarnation
/// of the same name is buried if its lock is free or its lease has run out.
/// Refused: wrong_cluster, settings_differ, protocol_incompatible, name_in_use.
struct register_node {
  node_profile profile;
  std::chrono::milliseconds lease{};
};
/// After the liveness session was lost: takes the lock again on a new one and renews the lease. Refused: node_dead,
/// lock_busy (the server still holds the old session).
struct resume_node {
  incarnation_no self = 0;
  std::chrono::milliseconds lease{};
};
/// Extends a lease that has not run out, and looks what is new. Refused: node_dead.
struct renew_lease {
  incarnation_no self = 0;
  std::chrono::milliseconds lease{};
  cluster_version known = 0;
};
/// What is newer than `known`.
struct read_cluster {
  cluster_version known = 0;
};
/// Becomes leader under a new epoch, if the present leader (seen at `seen_epoch`) is nobody, oneself, dead, without a
/// lease, or (`by_lock`) without a liveness session. A dead predecessor is buried in the same transaction.
/// Refused: node_dead (oneself), leader_alive, leader_changed. Also draining nodes are refused (node_dead).
struct claim_leadership {
  incarnation_no self = 0;
  epoch_no seen_epoch = 0;
  bool by_lock = false;
  cluster_version known = 0;
};
/// Lets go of the leadership. Refused: not_leader.
struct resign_leadership {
  incarnation_no self = 0;
  epoch_no epoch = 0;
};

struct assignment {
  shard_id shard = 0;
  epoch_no from_epoch = 0; ///< of the row as known, after the burial of its owner; 0: there is no row yet
  incarnation_no to = 0;
};
/// Marks a node dead whose lease has run out or (`by_lock`) whose liveness lock is free, takes its shards from it
/// (epoch + 1) and gives them to others. Refused: not_leader, node_alive, node_dead (it is buried already).
struct bury_node {
  incarnation_no self = 0;
  epoch_no leader_epoch = 0;
  incarnation_no dead = 0;
  bool by_lock = false;
  std::vector<assignment> assignments; ///< `from_epoch` is the epoch after the burial
};
/// Gives shards to nodes, whoever has them now: epoch + 1. Rows that are not as expected, or whose new owner is not up,
/// stay as they are. Refused: not_leader.
struct assign_shards {
  incarnation_no self = 0;
  epoch_no leader_epoch = 0;
  std::vector<assignment> assignments;
};
/// Asks owners to hand shards over: sets the rows' target (0 takes the wish back); their epochs stay. Refused:
/// not_leader.
struct plan_moves {
  incarnation_no self = 0;
  epoch_no leader_epoch = 0;
  std::vector<assignment> moves;
};
/// The owner has stopped the shard and passes it to the row's target, or to nobody if there is none that is up:
/// epoch + 1. Refused: not_owner.
struct hand_over_shard {
  incarnation_no self = 0;
  shard_id shard = 0;
  epoch_no epoch = 0;
};
/// New shards go elsewhere from now on. Refused: node_dead.
struct start_drain {
  incarnation_no self = 0;
};
/// Ends the incarnation; what it still holds belongs to nobody (epoch + 1). Refused: node_dead.
struct leave_cluster {
  incarnation_no self = 0;
};

using database_command =
    std::variant<register_node, resume_node, renew_lease, read_cluster, claim_leadership, resign_leadership, bury_node,
                 assign_shards, plan_moves, hand_over_shard, start_drain, leave_cluster>;

enum class outcome {
  done,
  refused, ///< a condition of the command did not hold; nothing changed
  failed,  ///< the database could not be used; nothing changed
  unknown, ///< it may have taken effect, or still may
};

enum class refusal {
  none,
  wrong_cluster,
  settings_differ,
  protocol_incompatible,
  name_in_use,
  node_dead,
  node_alive,
  lock_busy,
  leader_alive,
  leader_changed,
  not_leader,
  not_owner,
};
std::string_view to_string(refusal r) noexcept;
std::string_view name_of(const database_command& c) noexcept;

/// A member: a row of `cluster_node` that is up or draining.
struct member_row {
  incarnation_no incarnation = 0;
  std::string node, address;
  bool draining = false;
  std::chrono::microseconds lease_left{}; ///< by the database's clock when this was read; not above 0: it has run out
  std::int64_t lowest_protocol = 0, highest_protocol = 0;
};

/// What one look into the database shows: all members, the leader, and the shards that changed after `since`.
struct cluster_view {
  cluster_version version = 0; ///< 0: nothing was read
  cluster_version since = 0;
  epoch_no leader_epoch = 0;
  incarnation_no leader = 0; ///< 0: nobody
  shard_id shard_count = 0;
  std::int64_t database_us = 0; ///< the database's clock, UTC: what the leader's schedules go by
  std::vector<member_row> members;
  std::vector<shard_place> shards;
};

struct database_answer {
  std::uint64_t id = 0; ///< of the command
  outcome result = outcome::failed;
  refusal why = refusal::none;
  incarnation_no incarnation = 0;   ///< register_node
  epoch_no epoch = 0;               ///< claim_leadership
  cluster_version version = 0;      ///< of the change, if there was one
  std::vector<shard_place> changed; ///< rows as they are after the change
  cluster_view view;                ///< register, resume, renew, read, claim
};

} // namespace tobit::cluster
