#pragma once

#include "actors/event/event_batch.hpp"
#include "runtime/storage/database.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

/// The rows of the event log. One partition for now; the column is there for more.
namespace tobit::event {

inline constexpr std::int64_t only_partition = 0;

/// Reads batches in order, from the one that holds `from` on (or the next, if that was purged), at most `rows_max`
/// rows. `done` runs on a storage thread with everything decoded. Errors: those of the database; database_error for
/// damage.
void read_batches(storage::database& db, std::uint64_t from, std::size_t rows_max,
                  std::function<void(result<std::vector<logged_batch_ptr>>)> done);

/// One row of the log as it is stored.
struct stored_batch {
  std::uint64_t first_offset = 0;
  std::uint64_t count = 0;
  tenant_id tenant;
  utc_time received_at;
  std::string body; ///< compressed; `inflated` reads it
};

/// Reads the rows of one tenant as they are, in order: batches that begin at `from` or later, at most `rows_max`. For
/// whoever decodes elsewhere. `done` runs on a storage thread.
void read_stored(storage::database& db, const tenant_id& tenant, std::uint64_t from, std::size_t rows_max,
                 std::function<void(result<std::vector<stored_batch>>)> done);

/// Where the log begins: the time of the oldest batch that is still there. Nothing: it is empty.
void find_beginning(storage::database& db, std::function<void(result<std::optional<utc_time>>)> done);

/// The offset of the first event received at or after `moment`; the log's end if there is none.
void find_offset(storage::database& db, utc_time moment, std::function<void(result<std::uint64_t>)> done);

/// Statements of the log.
storage::statement insert_batch(const logged_batch& batch, std::string stored, std::string id_hashes);
storage::statement select_tail(std::uint64_t from); ///< first_offset, count, id_hashes
storage::statement select_hashes(std::uint64_t before,
                                 std::size_t rows_max); ///< first_offset, received_at, id_hashes; newest first
storage::statement select_end();                        ///< one row: the offset after the last event, or NULL
storage::statement select_watermark();
storage::statement store_watermark(std::uint64_t offset);
/// Removes old rows that lie below the watermark, at most `rows_max`.
storage::statement purge_batches(utc_time older_than, std::uint64_t below, std::size_t rows_max);
/// Who wants events: kind, tenant, entity_key, version, spec, and since when (microseconds).
storage::statement select_interests();

} // namespace tobit::event
