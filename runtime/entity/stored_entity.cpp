#include "runtime/entity/stored_entity.hpp"

#include "runtime/entity/unit_parts.hpp"

namespace tobit::entity {

using storage::as_int;
using storage::as_text;

namespace {

std::optional<utc_time> optional_time(const storage::value& v) {
  if (storage::is_null(v)) return std::nullopt;
  return from_micros(as_int(v));
}

} // namespace

storage::statement entity_query(const entity_ref& ref) {
  return {"SELECT e.version, e.enabled, e.name, e.label, e.created_at, e.updated_at, e.created_by, e.deleted_at,"
          " e.quarantined_at, s.state, e.snapshot_seq, e.journal_seq, e.restarts, e.last_error, d.body, e.wake_at"
          " FROM entity e JOIN definition d ON d.kind = e.kind AND d.tenant = e.tenant"
          " AND d.entity_key = e.entity_key AND d.version = e.version"
          " LEFT JOIN entity_snapshot s ON s.kind = e.kind AND s.tenant = e.tenant AND s.entity_key = e.entity_key"
          " WHERE e.kind = $1 AND e.tenant = $2 AND e.entity_key = $3",
          {ref.kind, ref.tenant.value, ref.key}};
}

std::optional<stored_entity> read_entity(const storage::rows& rows) {
  if (rows.empty()) return std::nullopt;
  const auto& row = rows[0];
  stored_entity found;
  found.version = as_int(row[0]);
  found.enabled = as_int(row[1]) != 0;
  found.name = as_text(row[2]);
  found.label = as_text(row[3]);
  found.created_at = from_micros(as_int(row[4]));
  found.updated_at = from_micros(as_int(row[5]));
  found.created_by = as_text(row[6]);
  found.deleted_at = optional_time(row[7]);
  found.quarantined_at = optional_time(row[8]);
  found.snapshot = as_text(row[9]);
  found.snapshot_seq = as_int(row[10]);
  found.journal_seq = as_int(row[11]);
  found.restarts = as_int(row[12]);
  found.last_error = as_text(row[13]);
  found.wake_at = optional_time(row[15]);
  // A damaged definition stays null: whoever wants to run it finds out, while delete and quarantine still work.
  if (auto definition = parse_json(as_text(row[14]))) found.definition = std::move(*definition);
  return found;
}

storage::statement journal_query(const entity_ref& ref, std::int64_t after_seq) {
  return {
      "SELECT name, body FROM journal WHERE kind = $1 AND tenant = $2 AND entity_key = $3 AND seq > $4 ORDER BY seq",
      {ref.kind, ref.tenant.value, ref.key, after_seq}};
}

result<std::vector<message>> read_journal(const storage::rows& rows) {
  std::vector<message> events;
  events.reserve(rows.size());
  for (const auto& row : rows.values) {
    auto body = parse_json(as_text(row[1]));
    if (!body) return fail(error_code::internal_server_error, "The journal is damaged.");
    auto event = decode_message(as_text(row[0]), *body);
    if (!event) return fail(event.error());
    events.push_back(std::move(*event));
  }
  return events;
}

storage::statement definition_query(const entity_ref& ref, std::int64_t version, std::int64_t current) {
  return {"SELECT version, body FROM definition WHERE kind = $1 AND tenant = $2 AND entity_key = $3"
          " AND (version = $4 OR ($4 = 0 AND version < $5)) ORDER BY version DESC LIMIT 1",
          {ref.kind, ref.tenant.value, ref.key, version, current}};
}

storage::statement restarts_query(const entity_ref& ref, utc_time since, std::size_t limit) {
  return {"SELECT at, outcome, error, message_name, message_body, trace_id FROM restart_history"
          " WHERE kind = $1 AND tenant = $2 AND entity_key = $3 AND at >= $4 ORDER BY at DESC LIMIT $5",
          {ref.kind, ref.tenant.value, ref.key, to_micros(since), static_cast<std::int64_t>(limit)}};
}

json restarts_view(const storage::rows& rows) {
  json list = json::array();
  for (const auto& row : rows.values)
    list.push_back({{"at", to_rfc3339(from_micros(as_int(row[0])))},
                    {"outcome", as_text(row[1])},
                    {"error", as_text(row[2])},
                    {"message", as_text(row[3])},
                    {"message_body", as_text(row[4])},
                    {"trace_id", as_text(row[5])}});
  return list;
}

std::size_t crashes_since_revival(const storage::rows& rows) {
  std::size_t crashes = 0;
  for (const auto& row : rows.values) {
    if (as_text(row[1]) == restart_outcome::revived) break;
    ++crashes;
  }
  return crashes;
}

} // namespace tobit::entity
