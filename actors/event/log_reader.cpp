#include "actors/event/log_reader.hpp"

#include <utility>

namespace tobit::event {

namespace {

using storage::as_int;
using storage::as_text;
using storage::value;

storage::statement sql(std::string_view text, std::vector<value> params = {}) {
  storage::statement s;
  s.sql = text;
  s.params = std::move(params);
  return s;
}

std::int64_t signed_offset(std::uint64_t offset) { return static_cast<std::int64_t>(offset); }

result<std::vector<logged_batch_ptr>> decode(const storage::rows& found) {
  std::vector<logged_batch_ptr> batches;
  for (const auto& row : found.values) {
    auto text = inflated(as_text(row[3]));
    if (!text) return fail(text.error());
    auto events = index_lines(std::move(*text));
    if (!events) return fail(events.error());
    auto batch = std::make_shared<logged_batch>();
    batch->first_offset = static_cast<std::uint64_t>(as_int(row[0]));
    batch->tenant = tenant_id{as_text(row[1])};
    batch->received_at = from_micros(as_int(row[2]));
    batch->context = as_text(row[4]);
    batch->events = std::move(*events);
    batches.push_back(std::move(batch));
  }
  return batches;
}

} // namespace

void read_batches(storage::database& db, std::uint64_t from, std::size_t rows_max,
                  std::function<void(result<std::vector<logged_batch_ptr>>)> done) {
  db.read(sql("SELECT first_offset, tenant, received_at, body, context FROM event_batch WHERE log_partition = $1"
              " AND first_offset >= (SELECT coalesce(max(first_offset), 0) FROM event_batch"
              " WHERE log_partition = $1 AND first_offset <= $2)"
              " AND first_offset + count > $2 ORDER BY first_offset LIMIT $3",
              {only_partition, signed_offset(from), static_cast<std::int64_t>(rows_max)}),
          [done = std::move(done)](result<storage::rows> found) {
            if (!found) return done(fail(std::move(found.error())));
            done(decode(*found));
          });
}

void read_stored(storage::database& db, const tenant_id& tenant, std::uint64_t from, std::size_t rows_max,
                 std::function<void(result<std::vector<stored_batch>>)> done) {
  db.read(sql("SELECT first_offset, count, tenant, received_at, body FROM event_batch WHERE log_partition = $1"
              " AND first_offset >= $2 AND tenant = $3 ORDER BY first_offset LIMIT $4",
              {only_partition, signed_offset(from), tenant.value, static_cast<std::int64_t>(rows_max)}),
          [done = std::move(done)](result<storage::rows> found) {
            if (!found) return done(fail(std::move(found.error())));
            std::vector<stored_batch> out;
            out.reserve(found->size());
            for (auto& row : found->values) {
              std::string body;
              if (auto* raw = std::get_if<storage::bytes>(&row[4])) body = std::move(raw->data);
              out.push_back({static_cast<std::uint64_t>(as_int(row[0])), static_cast<std::uint64_t>(as_int(row[1])),
                             tenant_id{as_text(row[2])}, from_micros(as_int(row[3])), std::move(body)});
            }
            done(std::move(out));
          });
}

void find_beginning(storage::database& db, std::function<void(result<std::optional<utc_time>>)> done) {
  db.read(sql("SELECT min(received_at) FROM event_batch"), [done = std::move(done)](result<storage::rows> found) {
    if (!found) return done(fail(std::move(found.error())));
    const auto& first = (*found)[0][0];
    done(storage::is_null(first) ? std::optional<utc_time>{} : from_micros(as_int(first)));
  });
}

void find_offset(storage::database& db, utc_time moment, std::function<void(result<std::uint64_t>)> done) {
  db.read(
      sql("SELECT coalesce((SELECT min(first_offset) FROM event_batch WHERE log_partition = $1 AND received_at >= $2),"
          " (SELECT max(first_offset + count) FROM event_batch WHERE log_partition = $1), 0)",
          {only_partition, to_micros(moment)}),
      [done = std::move(done)](result<storage::rows> found) {
        if (!found) return done(fail(std::move(found.error())));
        done(static_cast<std::uint64_t>(as_int((*found)[0][0])));
      });
}

storage::statement insert_batch(const logged_batch& batch, std::string stored, std::string id_hashes) {
  return sql(
      "INSERT INTO event_batch (log_partition, first_offset, count, tenant, received_at, body, id_hashes, context)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
      {only_partition, signed_offset(batch.first_offset), static_cast<std::int64_t>(batch.events.lines.size()),
       batch.tenant.value, to_micros(batch.received_at), storage::bytes{std::move(stored)},
       storage::bytes{std::move(id_hashes)}, batch.context});
}

storage::statement select_tail(std::uint64_t from) {
  return sql("SELECT first_offset, count, id_hashes FROM event_batch WHERE log_partition = $1 AND first_offset >= $2"
             " ORDER BY first_offset",
             {only_partition, signed_offset(from)});
}

storage::statement select_hashes(std::uint64_t before, std::size_t rows_max) {
  return sql(
      "SELECT first_offset, received_at, id_hashes FROM event_batch WHERE log_partition = $1 AND first_offset < $2"
      " ORDER BY first_offset DESC LIMIT $3",
      {only_partition, signed_offset(before), static_cast<std::int64_t>(rows_max)});
}

storage::statement select_end() {
  return sql("SELECT max(first_offset + count) FROM event_batch WHERE log_partition = $1 AND first_offset ="
             " (SELECT max(first_offset) FROM event_batch WHERE log_partition = $1)",
             {only_partition});
}

storage::statement select_watermark() {
  return sql("SELECT value FROM cluster_value WHERE name = 'event_log.evaluated'");
}

storage::statement store_watermark(std::uint64_t offset) {
  return sql("INSERT INTO cluster_value (name, value) VALUES ('event_log.evaluated', $1)"
             " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
             {std::to_string(offset)});
}

storage::statement purge_batches(utc_time older_than, std::uint64_t below, std::size_t rows_max) {
  return sql(
      "DELETE FROM event_batch WHERE log_partition = $1 AND first_offset IN (SELECT first_offset FROM event_batch"
      " WHERE log_partition = $1 AND received_at < $2 AND first_offset + count <= $3 ORDER BY received_at LIMIT $4)",
      {only_partition, to_micros(older_than), signed_offset(below), static_cast<std::int64_t>(rows_max)});
}

// A definition that was created or switched on counts from that version on; a mere update does not make events of
// before uninteresting.
storage::statement select_interests() {
  return sql("SELECT i.kind, i.tenant, i.entity_key, i.version, i.spec,"
             " CASE WHEN d.change IN ('create', 'enable') THEN d.created_at ELSE e.created_at END"
             " FROM interest i JOIN entity e ON e.kind = i.kind AND e.tenant = i.tenant AND e.entity_key = i.entity_key"
             " LEFT JOIN definition d ON d.kind = i.kind AND d.tenant = i.tenant AND d.entity_key = i.entity_key"
             " AND d.version = i.version WHERE i.source = 'event'");
}

} // namespace tobit::event
