#include "runtime/entity/outbox_rows.hpp"

#include "runtime/entity/unit_parts.hpp"

namespace tobit::entity {

using storage::as_int;
using storage::as_text;

namespace {

constexpr std::size_t error_bytes_max = 1'000;
/// No effect is postponed for so long: a row due later was written before somebody set the machine's clock back.
constexpr std::chrono::hours postponed_max{2};

storage::statement pending_row(storage::statement s) {
  s.expect_rows = 1;
  s.mismatch = error_code::not_found;
  return s;
}

} // namespace

storage::statement due_effects_query(const std::string& owner, utc_time now, std::size_t limit) {
  return {
      "SELECT o.id, o.kind, o.tenant, o.entity_key, o.effect, o.body, o.context, o.correlation, o.attempts,"
      " o.created_at FROM outbox o JOIN shard s ON s.id = o.shard WHERE o.status = 'pending'"
      " AND (o.next_attempt_at <= $1 OR o.next_attempt_at > $4) AND s.owner = $2 ORDER BY o.next_attempt_at LIMIT $3",
      {to_micros(now), owner, static_cast<std::int64_t>(limit), to_micros(now + postponed_max)}};
}

outgoing_effect read_effect(const std::vector<storage::value>& row) {
  outgoing_effect effect;
  effect.id = as_text(row[0]);
  effect.source = {as_text(row[1]), tenant_id{as_text(row[2])}, as_text(row[3])};
  effect.type = as_text(row[4]);
  effect.body = parse_json(as_text(row[5])).value_or(json());
  effect.context = decode_context(as_text(row[6]));
  effect.correlation = as_text(row[7]);
  effect.attempt = static_cast<int>(as_int(row[8])) + 1;
  effect.created_at = from_micros(as_int(row[9]));
  return effect;
}

storage::statement correlated_effects_query(const std::string& correlation) {
  return {"SELECT id, status, last_error FROM outbox WHERE correlation = $1 AND correlation <> ''"
          " ORDER BY created_at, LENGTH(id), id",
          {correlation}};
}

storage::unit_of_work unit_of_settling(const outgoing_effect& effect, const fence& right, const effect_outcome& outcome,
                                       utc_time now) {
  const bool done = outcome.status == effect_outcome::status::done;
  auto unit = fenced_unit(right);
  unit.statements.push_back(
      pending_row({"UPDATE outbox SET status = $2, settled_at = $3, attempts = $4, last_error = $5"
                   " WHERE id = $1 AND status = 'pending'",
                   {effect.id, std::string(done ? "done" : "failed"), to_micros(now), std::int64_t{effect.attempt},
                    done ? storage::value() : storage::value(storable(outcome.error, error_bytes_max))}}));
  return unit;
}

storage::unit_of_work unit_of_postponing(const outgoing_effect& effect, const fence& right, const std::string& error,
                                         utc_time next) {
  auto unit = fenced_unit(right);
  unit.statements.push_back(
      pending_row({"UPDATE outbox SET attempts = $2, next_attempt_at = $3, last_error = $4"
                   " WHERE id = $1 AND status = 'pending'",
                   {effect.id, std::int64_t{effect.attempt}, to_micros(next), storable(error, error_bytes_max)}}));
  return unit;
}

storage::statement resume_statement(const std::string& owner, utc_time now) {
  return {"UPDATE outbox SET next_attempt_at = $1 WHERE status = 'pending' AND attempts = 0 AND next_attempt_at > $1"
          " AND shard IN (SELECT id FROM shard WHERE owner = $2)",
          {to_micros(now), owner}};
}

storage::statement purge_statement(utc_time until, std::size_t limit) {
  return {"DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE settled_at < $1 LIMIT $2)",
          {to_micros(until), static_cast<std::int64_t>(limit)}};
}

} // namespace tobit::entity
