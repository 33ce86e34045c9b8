#pragma once

#include "runtime/storage/database.hpp"
#include "runtime/storage/session.hpp"
#include "runtime/storage/work_queue.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

namespace tobit::storage {

/// The `database` port over sessions: one thread, queue and session per writing lane, and several reading threads that
/// share one queue. What is particular to SQLite or PostgreSQL is behind the session factory.
///
/// The pattern is the classic group commit: while a lane's commit waits for the disk, the next group gathers in its
/// queue. Under little load a unit is committed alone and at once; under much load one commit carries many.
class threaded_database final : public database {
public:
  struct parts {
    std::string kind;
    std::shared_ptr<void> held; ///< kept longer than all sessions, e.g. a lock file
    session_factory open;
    std::size_t lanes = 1;
  };

  threaded_database(parts p, const database_options& options);
  ~threaded_database() override;

  void write(unit_of_work unit, std::function<void(result<write_outcome>)> done) override;
  void read(statement query, std::function<void(result<rows>)> done) override;
  database_status status() const override;

private:
  struct pending_write {
    unit_of_work unit;
    std::function<void(result<write_outcome>)> done;
  };
  struct pending_read {
    statement query;
    std::function<void(result<rows>)> done;
  };
  using write_queue = work_queue<pending_write>;

  void run_writer(write_queue& queue);
  void run_reader();
  void note(const session_failure* trouble);

  const parts parts_;
  const database_options options_;
  std::vector<std::unique_ptr<write_queue>> lanes_;
  work_queue<pending_read> reads_;
  std::shared_mutex gate_; ///< shared by lanes at work, exclusive for one that repeats after a deadlock
  std::atomic<std::uint64_t> units_committed_{0}, transactions_{0};
  std::atomic<bool> usable_{true};
  mutable std::mutex error_guard_;
  std::string last_error_;
  std::vector<std::thread> threads_;
};

} // namespace tobit::storage
