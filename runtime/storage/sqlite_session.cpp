#include "runtime/storage/sqlite_session.hpp"

#include "runtime/storage/sqlite_checkpointer.hpp"
#include "runtime/storage/sqlite_statement.hpp"

#include <spdlog/spdlog.h>
#include <sqlite3.h>

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tobit::storage {

namespace {

struct sqlite_close {
  void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
};
using sqlite_handle = std::unique_ptr<sqlite3, sqlite_close>;

// The kernel's reason for an I/O error tells a full disk from a broken one.
bool disk_is_full(sqlite3* db) {
  const int reason = sqlite3_system_errno(db);
  return reason == ENOSPC || reason == EDQUOT || reason == EFBIG;
}

session_failure constraint_failure(int extended, const char* text) {
  if (extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY ||
      extended == SQLITE_CONSTRAINT_ROWID)
    return {error{error_code::conflict}, blame::statement};
  spdlog::error("storage.constraint_failed {}", text);
  return {error{error_code::internal_server_error, "The database refused a value."}, blame::statement};
}

session_failure damaged() {
  return {error{error_code::database_error,
                "The database file is damaged. Stop the node and restore the data folder from a backup."},
          blame::connection};
}

/// What SQLite's result code means for the unit, the session and the user.
session_failure failure_of(sqlite3* db, int code, std::string_view sql) {
  const int extended = db ? sqlite3_extended_errcode(db) : code;
  const char* text = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  switch (code & 0xff) {
  case SQLITE_CONSTRAINT:
    return constraint_failure(extended, text);
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return {error{error_code::database_error, "Another program holds the lock on the database file. Nothing was "
                                              "changed; end that program, the node goes on by itself."},
            blame::database};
  case SQLITE_FULL:
    return {error{error_code::storage_full}, blame::database};
  case SQLITE_READONLY:
  case SQLITE_PERM:
  case SQLITE_CANTOPEN:
    return {error{error_code::storage_full}, blame::connection};
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
    return damaged();
  case SQLITE_IOERR:
    spdlog::error("storage.io_error code={} errno={} {}", extended, sqlite3_system_errno(db), text);
    if (disk_is_full(db)) return {error{error_code::storage_full}, blame::connection};
    return {error{error_code::database_error, "The disk reported an error. Look at the system's log."},
            blame::connection};
  case SQLITE_NOMEM:
    return {error{error_code::database_error, "There is not enough memory."}, blame::connection};
  case SQLITE_TOOBIG:
    return {error{error_code::payload_too_large}, blame::statement};
  case SQLITE_INTERRUPT:
    return {error{error_code::deadline_exceeded, "The database did not answer in time."}, blame::statement};
  default:
    spdlog::error("storage.statement_failed code={} {} in: {}", extended, text, sql);
    return {error{error_code::internal_server_error, "A statement failed; the log holds the details."},
            blame::statement};
  }
}

class sqlite_session final : public session {
public:
  sqlite_session(sqlite_handle db, std::chrono::milliseconds patience, std::function<void(int)> committed)
      : db_(std::move(db)), patience_(patience), committed_(std::move(committed)) {
    sqlite3_progress_handler(db_.get(), 10'000, &sqlite_session::out_of_time, this);
    if (committed_) sqlite3_wal_hook(db_.get(), &sqlite_session::after_commit, this);
  }

  ~sqlite_session() override { rollback(); }

  // IMMEDIATE: takes the write lock at once, so that waiting for it cannot fail half-way through the unit.
  session_result<void> begin() override { return script("BEGIN IMMEDIATE"); }

  session_result<void> commit() override {
    auto done = script("COMMIT");
    // After a failed write or fsync the frames may still be in the log and be found valid at the next start.
    if (!done && done.error().whose == blame::connection) {
      done.error().outcome_unknown = true;
      done.error().what = {error_code::database_error, std::string(outcome_unknown_sentence)};
    }
    return done;
  }

  void rollback() noexcept override {
    // SQLite ends the transaction by itself after some errors.
    if (!sqlite3_get_autocommit(db_.get())) sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }

  session_result<step_outcome> run(const statement& what) override {
    start_watch();
    auto* prepared = statements_.get(db_.get(), what.sql);
    if (!prepared) return tl::unexpected(failure_of(db_.get(), sqlite3_errcode(db_.get()), what.sql));
    if (const int code = prepared->bind(what.params); code != SQLITE_OK) {
      prepared->reset();
      spdlog::error("storage.wrong_parameters code={} given={} in: {}", code, what.params.size(), what.sql);
      return tl::unexpected(session_failure{error{error_code::internal_server_error}, blame::statement});
    }
    auto outcome = step_through(*prepared, what.sql);
    prepared->reset();
    return outcome;
  }

  session_result<void> script(std::string_view sql) override {
    start_watch();
    const std::string text{sql};
    const int code = sqlite3_exec(db_.get(), text.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return tl::unexpected(failure_of(db_.get(), code, sql));
    return {};
  }

private:
  session_result<step_outcome> step_through(sqlite_statement& prepared, std::string_view sql) {
    step_outcome outcome;
    const auto changes_before = sqlite3_total_changes64(db_.get());
    int code = prepared.step();
    for (; code == SQLITE_ROW; code = prepared.step()) outcome.returned.values.push_back(prepared.row());
    if (code != SQLITE_DONE) return tl::unexpected(failure_of(db_.get(), code, sql));
    // `changes` keeps its value over statements that change nothing, hence the comparison of totals.
    if (prepared.read_only())
      outcome.affected = static_cast<std::int64_t>(outcome.returned.size());
    else if (sqlite3_total_changes64(db_.get()) != changes_before)
      outcome.affected = sqlite3_changes64(db_.get());
    return outcome;
  }

  void start_watch() noexcept { out_of_time_at_ = std::chrono::steady_clock::now() + patience_; }
  static int out_of_time(void* self) {
    return std::chrono::steady_clock::now() > static_cast<sqlite_session*>(self)->out_of_time_at_ ? 1 : 0;
  }

  // Setting a hook takes the place of SQLite's own automatic checkpoint, so the last bound is kept here.
  static int after_commit(void* self, sqlite3* db, const char* name, int pages) {
    if (pages >= sqlite_checkpointer::wal_pages_max)
      sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    static_cast<sqlite_session*>(self)->committed_(pages);
    return SQLITE_OK;
  }

  sqlite_handle db_; // closed last: after the statements
  sqlite_statement_cache statements_;
  std::chrono::milliseconds patience_;
  std::function<void(int)> committed_;
  std::chrono::steady_clock::time_point out_of_time_at_{};
};

result<void> refuse_to_open(const std::string& path, int code, sqlite3* db) {
  const std::string file = "The database file '" + path + "' ";
  switch (code & 0xff) {
  case SQLITE_CANTOPEN:
  case SQLITE_PERM:
    return fail(error_code::configuration_error,
                file + "cannot be opened or made; check that the folder exists and belongs to the user of the node.");
  case SQLITE_READONLY:
    return fail(error_code::configuration_error,
                file + "or its folder is read-only; give the user of the node the right to write there.");
  case SQLITE_NOTADB:
    return fail(error_code::configuration_error,
                file + "is not an SQLite database; move it away or set storage to another file.");
  case SQLITE_CORRUPT:
    return fail(error_code::configuration_error, file + "is damaged; restore the data folder from a backup.");
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return fail(error_code::configuration_error, file + "is locked by another program; end that program first.");
  case SQLITE_FULL:
    return fail(error_code::storage_full, file + "cannot grow: the disk is full.");
  default:
    if (db && disk_is_full(db)) return fail(error_code::storage_full, file + "cannot grow: the disk is full.");
    return fail(error_code::configuration_error, file + "cannot be used: " + sqlite3_errstr(code));
  }
}

/// Of a file that is made just now: in one that holds something it would have no effect but to want the write lock.
constexpr const char* first_settings = "PRAGMA auto_vacuum=INCREMENTAL;";
constexpr const char* writer_settings = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;"
                                        "PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=16000;";
constexpr const char* reader_settings = "PRAGMA query_only=1; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384;";

} // namespace

result<std::unique_ptr<session>> open_sqlite_session(const std::string& path, const database_options& options,
                                                     session_role role, std::function<void(int)> committed) {
  sqlite3* raw = nullptr;
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (role == session_role::writer ? SQLITE_OPEN_CREATE : 0);
  struct stat found {};
  const bool fresh = ::stat(path.c_str(), &found) != 0 || found.st_size == 0;
  int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  sqlite_handle db{raw};
  if (code == SQLITE_OK) {
    sqlite3_extended_result_codes(raw, 1);
    sqlite3_busy_timeout(raw, static_cast<int>(options.busy_timeout.count()));
    const auto* settings = role == session_role::writer ? writer_settings : reader_settings;
    if (fresh && role == session_role::writer) code = sqlite3_exec(raw, first_settings, nullptr, nullptr, nullptr);
    if (code == SQLITE_OK) code = sqlite3_exec(raw, settings, nullptr, nullptr, nullptr);
  }
  // The first real look at the file: a text file or a damaged header shows here.
  if (code == SQLITE_OK) code = sqlite3_exec(raw, "SELECT count(*) FROM sqlite_master", nullptr, nullptr, nullptr);
  // SQLite opens a read-only file without complaint and fails at the first write.
  if (code == SQLITE_OK && sqlite3_db_readonly(raw, "main") == 1) code = SQLITE_READONLY;
  if (code != SQLITE_OK) return fail(refuse_to_open(path, code, raw).error());
  return std::make_unique<sqlite_session>(std::move(db), options.statement_timeout, std::move(committed));
}

result<std::unique_ptr<session>> open_sqlite_read_only(const std::string& path, const database_options& options) {
  sqlite3* raw = nullptr;
  int code = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  sqlite_handle db{raw};
  if (code == SQLITE_OK) {
    sqlite3_extended_result_codes(raw, 1);
    sqlite3_busy_timeout(raw, static_cast<int>(options.busy_timeout.count()));
    code = sqlite3_exec(raw, reader_settings, nullptr, nullptr, nullptr);
  }
  if (code == SQLITE_OK) code = sqlite3_exec(raw, "SELECT count(*) FROM sqlite_master", nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(refuse_to_open(path, code, raw).error());
  return std::make_unique<sqlite_session>(std::move(db), options.statement_timeout, std::function<void(int)>{});
}

void reserve_write_ahead_log(const std::string& path, std::size_t bytes) noexcept {
  const auto log = path + "-wal";
  const int descriptor = ::open(log.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (descriptor < 0) return;
  static constexpr char zeros[65'536] = {};
  struct stat found {};
  // Real zeros: blocks that are only allocated (fallocate) need the journal again at their first use.
  for (std::size_t size = ::fstat(descriptor, &found) == 0 ? static_cast<std::size_t>(found.st_size) : bytes;
       size < bytes; size += sizeof zeros)
    if (::write(descriptor, zeros, sizeof zeros) != static_cast<ssize_t>(sizeof zeros)) break;
  ::fdatasync(descriptor);
  ::close(descriptor);
}

} // namespace tobit::storage
