#include "runtime/entity/outbox_rows.hpp"

#include "runtime/entity/unit_parts.hpp"

namespace tobit::entity {

using storage::as_int;
using storage::as_text;

namespace {

constexpr std::size_t error_bytes_max = 1'000;
constexpr std::size_t answer_bytes_max = 8 * 1024;
/// No effect is postponed for so long: a row due later was written before somebody set the machine's clock back.
constexpr std::chrono::hours postponed_max{2};

storage::statement pending_row(storage::statement s) {
  s.expect_rows = 1;
  s.mismatch = error_code::not_found;
  return s;
}

std::string outcome_text(const effect_settled& report) {
  return to_text({{"answer", report.answer}, {"error_name", report.error_name}});
}

} // namespace

storage::statement due_effects_query(const std::string& owner, utc_time now, std::size_t limit) {
  return {
      "SELECT o.id, o.kind, o.tenant, o.entity_key, o.effect, o.body, o.context, o.correlation, o.attempts,"
      " o.created_at, o.report FROM outbox o JOIN shard s ON s.id = o.shard WHERE o.status = 'pending'"
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
  effect.report = as_int(row[10]) != 0;
  effect.report_done = as_int(row[10]) == 1;
  return effect;
}

storage::statement correlated_effects_query(const std::string& correlation) {
  // While a report is open the entity may want further effects under the same correlation.
  return {"SELECT id, CASE WHEN report_at IS NULL THEN status ELSE 'pending' END, last_error FROM outbox WHERE "
          "correlation = $1 AND correlation <> ''"
          " ORDER BY created_at, LENGTH(id), id",
          {correlation}};
}

bool wants_report(const outgoing_effect& effect, const effect_outcome& outcome) noexcept {
  return effect.report && (effect.report_done || outcome.status != effect_outcome::status::done);
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
  if (wants_report(effect, outcome))
    unit.statements.push_back({"UPDATE outbox SET report_at = $2, outcome = $3 WHERE id = $1",
                               {effect.id, to_micros(now), outcome_text(report_of(effect, outcome))}});
  return unit;
}

effect_settled report_of(const outgoing_effect& effect, const effect_outcome& outcome) {
  effect_settled report;
  report.effect_id = effect.id;
  report.type = effect.type;
  report.correlation = effect.correlation;
  report.done = outcome.status == effect_outcome::status::done;
  report.attempts = effect.attempt;
  if (!report.done) {
    report.error_name = describe(outcome.code).name;
    report.error = storable(outcome.error, error_bytes_max);
  }
  report.answer = to_text(outcome.answer).size() > answer_bytes_max ? json{{"truncated", true}} : outcome.answer;
  return report;
}

storage::statement due_reports_query(const std::string& owner, utc_time now, std::size_t limit) {
  return {"SELECT id, kind, tenant, entity_key, effect, context, correlation, status, attempts, last_error, outcome,"
          " report_attempts FROM outbox WHERE report_at IS NOT NULL AND (report_at <= $1 OR report_at > $4)"
          " AND shard IN (SELECT id FROM shard WHERE owner = $2) ORDER BY report_at LIMIT $3",
          {to_micros(now), owner, static_cast<std::int64_t>(limit), to_micros(now + postponed_max)}};
}

open_report read_report(const std::vector<storage::value>& row) {
  open_report report;
  report.source = {as_text(row[1]), tenant_id{as_text(row[2])}, as_text(row[3])};
  report.context = decode_context(as_text(row[5]));
  report.attempts = static_cast<int>(as_int(row[11]));
  auto& what = report.what;
  what.effect_id = as_text(row[0]);
  what.type = as_text(row[4]);
  what.correlation = as_text(row[6]);
  what.done = as_text(row[7]) == "done";
  what.attempts = as_int(row[8]);
  what.error = as_text(row[9]);
  if (const auto outcome = parse_json(as_text(row[10])); outcome && outcome->is_object()) {
    what.answer = outcome->value("answer", json());
    what.error_name = outcome->value("error_name", std::string{});
  }
  return report;
}

storage::unit_of_work unit_of_report(const std::string& effect_id, const fence& right, int attempts,
                                     std::optional<utc_time> next, const std::string& error) {
  auto unit = fenced_unit(right);
  unit.statements.push_back({"UPDATE outbox SET report_at = $2, report_attempts = $3, report_error = $4"
                             " WHERE id = $1 AND report_at IS NOT NULL",
                             {effect_id, next ? storage::value(to_micros(*next)) : storage::value(),
                              std::int64_t{attempts}, storable(error, error_bytes_max)}});
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

storage::statement resume_shard_statement(shard_id shard, utc_time now) {
  return {"UPDATE outbox SET next_attempt_at = $1 WHERE status = 'pending' AND attempts = 0 AND next_attempt_at > $1"
          " AND shard = $2",
          {to_micros(now), std::int64_t{shard}}};
}

storage::statement purge_statement(utc_time until, std::size_t limit) {
  return {"DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE settled_at < $1 LIMIT $2)",
          {to_micros(until), static_cast<std::int64_t>(limit)}};
}

} // namespace tobit::entity
