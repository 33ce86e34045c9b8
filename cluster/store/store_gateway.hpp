#pragma once

#include "cluster/cluster_times.hpp"
#include "cluster/store/database_command.hpp"
#include "runtime/storage/database.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace tobit::cluster {

/// What the store tells. Called on unspecified threads, one call at a time; must neither block, nor throw, nor call the
/// gateway. A command is never answered within `run`.
struct store_events {
  std::function<void(database_answer)> answered; ///< each command exactly once, with its id
  std::function<void()> session_lost;            ///< the session with the liveness lock broke by itself
  std::function<void(std::string)> told;         ///< a NOTIFY that is no version: a sentence for the log
  std::function<void(cluster_version)> notified; ///< NOTIFY; several may be merged, any may be lost
};

/// Carries out the protocol's commands on PostgreSQL, on sessions and threads of its own. Thread-safe, never blocks.
///
/// Three sessions: one holds the liveness lock and listens for NOTIFY, one renews the lease, one does everything else,
/// so that nothing keeps a renewal waiting. A command is answered after `cluster_times::command_timeout` at the latest;
/// one whose effect is not known by then is answered `unknown`, and no further command runs on its session before it
/// has ended.
class store_gateway {
public:
  virtual ~store_gateway() = default;
  virtual void run(std::uint64_t id, database_command command) = 0;
  /// Ends the liveness session, and with it the lock; commands under way on it are answered. No `session_lost` follows.
  virtual void close_liveness_session() = 0;
  /// Answers what is under way with `unknown`, tells nothing afterwards. Waits for its threads, bounded by the
  /// sessions' time-outs.
  virtual void stop() = 0;
};

/// Does not connect yet. `options`: time-outs of the sessions are set from `times`, the rest is taken over.
std::unique_ptr<store_gateway> open_store_gateway(const std::string& url, const storage::database_options& options,
                                                  const cluster_times& times, store_events events);

} // namespace tobit::cluster
