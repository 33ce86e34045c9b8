#pragma once

#include "cluster/store/database_command.hpp"
#include "runtime/storage/statement.hpp"

#include <string>
#include <vector>

/// The commands of the protocol as SQL for PostgreSQL (READ COMMITTED). What they rely on:
/// - Every changing command but a renewal begins by raising `cluster_state.version`. That row's lock is held until the
///   commit, so these commands happen one after the other, and versions become visible in their order.
/// - Death is proved inside the transaction that declares it: the lease has run out by `clock_timestamp()`, or
///   `pg_try_advisory_xact_lock` gets the incarnation's liveness lock, which its session holds as long as it is there.
///   A session gets every lock that it holds itself: none of these commands may run on a session that holds another
///   incarnation's lock, so a fenced node closes its liveness session before it registers again.
/// - Acts of entities look at their shard's row FOR SHARE until they commit, and taking the shard over waits for them.
///   A stopped process would hold such a lock for ever, hence `storage::database_options::forget_client_after`.
namespace tobit::cluster {

struct command_step {
  storage::statement sql;
  refusal unless = refusal::none; ///< the command is refused with this if `sql.expect_rows` does not hold
  enum class yields { nothing, version, incarnation, epoch, changed, members, state, shards } gives = yields::nothing;
};

/// First of all, on its own: a number for the next incarnation. A number that is not used is no harm.
command_step draw_incarnation();
/// Then, on the new liveness session and outside a transaction: its lock. Expects one row.
command_step take_liveness_lock(incarnation_no self);

/// The statements of one transaction, in order. `drawn`: for `register_node`. A command that reads ends with the steps
/// `state`, `members` and `shards` of its `cluster_view`.
std::vector<command_step> transaction_of(const database_command& command, incarnation_no drawn = 0);

/// What an entity's or the leader's own transactions prove first.
storage::statement leader_fence(incarnation_no self, epoch_no epoch);

/// Puts the rows that a step returned into the answer. Columns are those of the step's SELECT or RETURNING list.
void take_rows(const command_step& step, const storage::rows& rows, database_answer& answer);

/// The channel of NOTIFY; the payload is the version.
inline constexpr std::string_view notify_channel = "tobit_cluster";

} // namespace tobit::cluster
