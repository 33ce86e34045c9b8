#include "runtime/storage/sqlite_checkpointer.hpp"

#include "runtime/storage/sqlite_session.hpp"

#include <utility>

namespace tobit::storage {

sqlite_checkpointer::sqlite_checkpointer(std::string path, const database_options& options)
    : path_(std::move(path)), options_(options), thread_([this] { run(); }) {}

sqlite_checkpointer::~sqlite_checkpointer() {
  {
    std::lock_guard lock{guard_};
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void sqlite_checkpointer::wal_has(int pages) {
  if (pages < wal_pages_start) return;
  {
    std::lock_guard lock{guard_};
    wanted_ = true;
  }
  changed_.notify_one();
}

void sqlite_checkpointer::run() {
  std::unique_ptr<session> connection;
  statement move_pages;
  move_pages.sql = "PRAGMA wal_checkpoint(PASSIVE)";
  while (true) {
    {
      std::unique_lock lock{guard_};
      changed_.wait(lock, [this] { return wanted_ || stopping_; });
      if (stopping_) return;
      wanted_ = false;
    }
    if (!connection) {
      auto opened = open_sqlite_session(path_, options_, session_role::writer);
      if (!opened) continue; // the writer meets the same trouble and reports it
      connection = std::move(*opened);
    }
    auto moved = connection->run(move_pages);
    if (!moved && moved.error().whose == blame::connection) connection.reset();
  }
}

} // namespace tobit::storage
