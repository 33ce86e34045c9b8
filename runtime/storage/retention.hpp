#pragma once

#include "runtime/storage/database.hpp"
#include "runtime/time/clock.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

namespace tobit::storage {

/// How long one kind of rows is kept.
struct retention_rule {
  std::string_view name; ///< for the log
  /// Deletes at most `$2` of the oldest rows that are older than `$1` (microseconds UTC). A literal.
  std::string_view sql;
  std::chrono::microseconds keep;
};

/// What one pass did.
struct retention_outcome {
  std::string_view name;
  std::int64_t removed = 0;
  std::optional<error> failure;
};

/// Rows removed in one transaction: few enough that nobody who writes at the same time waits noticeably.
inline constexpr std::int64_t retention_chunk = 500;
/// Transactions for one rule in one pass; what is left waits for the next pass.
inline constexpr int retention_chunks_max = 200;

/// Removes old rows in small pieces, between the other writes. Waits for each piece.
std::vector<retention_outcome> remove_old_rows(database& from, const std::vector<retention_rule>& rules, utc_time now);

/// Gives what deleted rows left free in an SQLite file back to the file system, a few megabytes at a time between the
/// other writes, until little is left or `vacuum_pieces_max` is reached. Gives the number of pages. PostgreSQL does
/// this by itself (autovacuum): there, and in files of releases that could not do it yet, nothing happens.
std::int64_t give_back_space(database& from);

/// Pages in one piece, and free pages that are left for what comes next.
inline constexpr std::int64_t vacuum_piece = 500, vacuum_slack = 1'000;
inline constexpr int vacuum_pieces_max = 200;

/// Does that regularly on a thread of its own: a pass at `every`, and sooner as long as there is a backlog; after
/// each pass free space is given back. `from`, `time` and `told` (called with what was removed or
/// failed, if anything) outlive it; destroying it ends it after the piece under way.
class retention {
public:
  retention(database& from, const clock& time, std::vector<retention_rule> rules, std::chrono::seconds every,
            std::function<void(const retention_outcome&)> told);
  ~retention();
  retention(const retention&) = delete;
  retention& operator=(const retention&) = delete;

private:
  void run(std::chrono::seconds every);

  database& from_;
  const clock& time_;
  const std::vector<retention_rule> rules_;
  const std::function<void(const retention_outcome&)> told_;
  std::mutex guard_;
  std::condition_variable stop_requested_;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace tobit::storage
