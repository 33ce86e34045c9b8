#pragma once

#include "actors/event/log_reader.hpp"
#include "runtime/storage/database.hpp"
#include "schemas/entity/interest_spec.hpp"
#include "schemas/event/event.hpp"
#include "schemas/ids.hpp"
#include "schemas/time.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <optional>
#include <vector>

namespace tobit::rehearsal {

/// One stored batch, with those of its events that the interest lets through.
struct replayed_batch {
  std::uint64_t first_offset = 0;
  std::size_t events = 0; ///< all of the batch
  utc_time received_at;
  std::vector<event::logged_event> wanted;
};

/// Rows as they were read, and what became of them.
struct stored_page {
  std::vector<event::stored_batch> rows;
  bool last = false;
};
struct replayed_page {
  std::vector<replayed_batch> batches;
};

/// What is read of the log.
struct stream_range {
  tenant_id tenant;
  utc_time from, to; ///< times of arrival; `to` is not part of it
  entity::event_interest wanted;
};

/// The stored events of a range, in order, read and decoded ahead of whoever takes them.
///
/// Reading (storage thread), inflating with parsing (two threads at most) and taking go on at the same time. Memory
/// stays within a few pages: their size follows the batches, about 4 MB of stored text each. Used by one thread.
class stored_stream {
public:
  /// `db` outlives it.
  stored_stream(storage::database& db, stream_range range);
  ~stored_stream(); ///< waits for what is under way

  /// The next page; empty: the end of the range. Waits. Errors: those of the database; database_error for damage.
  result<std::vector<replayed_batch>> next();

private:
  result<std::uint64_t> first_offset();
  void read_ahead(std::uint64_t from);
  void decode_ahead();

  storage::database& db_;
  const stream_range range_;
  std::size_t rows_ = 16;
  bool begun_ = false, reading_over_ = false;
  std::future<result<stored_page>> reading_;
  std::deque<std::future<result<replayed_page>>> decoding_;
};

} // namespace tobit::rehearsal
