#pragma once

#include "runtime/storage/statement.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tobit::storage {

/// How the database is doing, for health checks and metrics.
struct database_status {
  std::string kind;       ///< "sqlite" or "postgresql"
  bool usable = false;    ///< the last attempt to write or ping succeeded
  std::string last_error; ///< for operators; no secrets
  std::size_t writes_queued = 0;
  std::size_t reads_queued = 0;
  std::uint64_t units_committed = 0;
  std::uint64_t transactions = 0; ///< group commit: several units share one
};

/// Limits and times of a database. All bounded; see docs of the settings `storage.*`.
struct database_options {
  std::size_t write_queue_max = 50'000;      ///< units waiting; beyond it: overloaded
  std::size_t read_queue_max = 5'000;        ///< reads waiting; beyond it: overloaded
  std::size_t group_max = 1'000;             ///< units in one transaction
  std::size_t readers = 2;                   ///< reading threads, each with its own connection
  std::size_t writers = 4;                   ///< writing connections (PostgreSQL); SQLite always has one
  std::size_t wal_reserve_bytes = 16u << 20; ///< size of SQLite's write-ahead log from the start; 0: it grows by use
  std::chrono::milliseconds busy_timeout{5'000};       ///< waiting for another process's lock (SQLite) or connecting
  std::chrono::milliseconds statement_timeout{30'000}; ///< one statement
  /// For a node of a cluster, usually its lease: PostgreSQL ends a transaction whose client has been silent for so
  /// long, both sides give up a connection on which nothing was acknowledged for so long, and nobody waits longer for a
  /// lock. A stopped process would else keep its rows locked for ever. Nothing: as the server is configured.
  std::optional<std::chrono::milliseconds> forget_client_after{};
};

/// What the user is told about a commit that may or may not have taken effect (always with `database_error`).
inline constexpr std::string_view outcome_unknown_sentence =
    "The outcome is unknown: the database was lost in the middle of a commit. Look whether the change is there before "
    "repeating it.";
inline bool outcome_unknown(const error& e) noexcept {
  return e.code == error_code::database_error && e.message == outcome_unknown_sentence;
}

/// A transactional store. Two adapters behind one meaning, held to it by one conformance suite.
///
/// Thread-safe. Calls return at once; the callbacks run on a storage thread, exactly once each, and must neither block
/// nor throw. On destruction work that was accepted is finished first (bounded by the timeouts), later work is refused
/// with `unavailable`.
///
/// Errors: overloaded (queue full), unavailable (being closed) and validation_error (text that is not UTF-8 or holds a
/// zero character): these three call back at once on the caller's thread. database_error (not usable now),
/// storage_full, conflict (unique constraint), deadline_exceeded (statement_timeout), or a statement's own `mismatch`:
/// nothing changed. One exception, and it is marked: when the connection breaks, or the disk fails, while a commit is
/// under way, nobody can say whether it took effect. Then `outcome_unknown(error)` holds: read what is there before
/// deciding anew.
class database {
public:
  virtual ~database() = default;

  /// Runs the unit in a transaction, together with others that wait (group commit). `done` is called after the commit
  /// is durable (survives power loss). A unit that fails does not disturb the others in its group.
  virtual void write(unit_of_work unit, std::function<void(result<write_outcome>)> done) = 0;

  /// Runs one SELECT on a reader; it sees everything committed before the call.
  virtual void read(statement query, std::function<void(result<rows>)> done) = 0;

  /// The same, waiting for the answer at most `patience`. For start-up, command line and HTTP worker threads;
  /// never on an actor's thread. Errors: also deadline_exceeded.
  result<write_outcome> write_and_wait(unit_of_work unit,
                                       std::chrono::milliseconds patience = std::chrono::seconds{10});
  result<rows> read_and_wait(statement query, std::chrono::milliseconds patience = std::chrono::seconds{10});

  virtual database_status status() const = 0;
};

/// Opens (and creates, and migrates) an SQLite file in WAL mode, one batching writer and several readers.
/// Errors: configuration_error with a sentence (not writable, not a database, newer schema than this program knows).
result<std::unique_ptr<database>> open_sqlite(const std::string& path, const database_options& options = {});

/// Connects to PostgreSQL (and migrates, under an advisory lock so that several nodes may start at once).
/// `url`: postgresql://…; the password is never logged.
result<std::unique_ptr<database>> open_postgres(const std::string& url, const database_options& options = {});

/// `postgresql://…` opens PostgreSQL, anything else is an SQLite path.
result<std::unique_ptr<database>> open_database(const std::string& url, const database_options& options = {});

} // namespace tobit::storage
