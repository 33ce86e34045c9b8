#pragma once

#include "cluster/store/cluster_statements.hpp"
#include "cluster/store/command_ticket.hpp"
#include "runtime/storage/session.hpp"

namespace tobit::cluster {

/// How a command, or a part of it, ended on a session.
struct command_end {
  database_answer answer;
  bool session_lost = false; ///< give the session up
  bool untouched = false;    ///< with `session_lost`: nothing can have taken effect, the same again may succeed
};

/// Runs one statement outside a transaction, as `draw_incarnation` and `take_liveness_lock` need it; what it gives goes
/// into `into`. `done` if its condition holds.
command_end run_alone(storage::session& on, const command_step& step, command_ticket& ticket, database_answer into);

/// Runs the ticket's transaction. It is rolled back if a condition does not hold (`refused`), a statement fails
/// (`failed`), or the ticket was given up before the commit. A connection lost in the commit gives `unknown`.
command_end run_transaction(storage::session& on, command_ticket& ticket, incarnation_no drawn = 0);

} // namespace tobit::cluster
