#pragma once

#include "runtime/storage/database.hpp"

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace tobit::storage {

/// Moves pages from SQLite's write-ahead log into the database file, on a thread and connection of its own, so that the
/// writer hardly ever stops for it. A log that never comes to rest cannot start anew this way; therefore the writer's
/// own checkpoint stays on as the last bound (`wal_pages_max`) and finds little left to do.
class sqlite_checkpointer {
public:
  static constexpr int wal_pages_start = 2'000; ///< 8 MiB: from here the thread moves pages
  static constexpr int wal_pages_max = 16'000;  ///< 64 MiB: from here the writer does

  sqlite_checkpointer(std::string path, const database_options& options);
  ~sqlite_checkpointer();
  sqlite_checkpointer(const sqlite_checkpointer&) = delete;
  sqlite_checkpointer& operator=(const sqlite_checkpointer&) = delete;

  /// The log holds this many pages after a commit. Called by the writer; cheap.
  void wal_has(int pages);

private:
  void run();

  const std::string path_;
  const database_options options_;
  std::mutex guard_;
  std::condition_variable changed_;
  bool wanted_ = false, stopping_ = false;
  std::thread thread_;
};

} // namespace tobit::storage
