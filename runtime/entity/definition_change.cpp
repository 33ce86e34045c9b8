#include "runtime/entity/definition_change.hpp"

namespace tobit::entity {

namespace {

/// How long restarts are remembered.
constexpr std::chrono::hours restart_memory{24 * 30};

storage::statement one_row(storage::statement s) {
  s.expect_rows = 1;
  s.mismatch = error_code::unavailable;
  return s;
}

storage::value time_or_null(const std::optional<utc_time>& at) {
  return at ? storage::value(to_micros(*at)) : storage::value();
}

storage::statement new_row(const entity_ref& ref, shard_id shard, const stored_entity& after) {
  return {"INSERT INTO entity (kind, tenant, entity_key, shard, version, enabled, name, label, created_at, created_by,"
          " updated_at, snapshot_seq, journal_seq, wake_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,"
          " $12, $13)",
          {ref.kind, ref.tenant.value, ref.key, std::int64_t{shard}, after.version, std::int64_t{after.enabled},
           after.name, after.label, to_micros(after.created_at), after.created_by, to_micros(after.updated_at),
           after.journal_seq, time_or_null(after.wake_at)}};
}

storage::statement changed_row(const entity_ref& ref, const stored_entity& before, const stored_entity& after) {
  return one_row(
      {"UPDATE entity SET version = $4, enabled = $5, name = $6, label = $7, updated_at = $8,"
       " snapshot_seq = $9, journal_seq = $9, deleted_at = NULL, quarantined_at = NULL, wake_at = $11"
       " WHERE kind = $1 AND tenant = $2 AND entity_key = $3 AND journal_seq = $10",
       {ref.kind, ref.tenant.value, ref.key, after.version, std::int64_t{after.enabled}, after.name, after.label,
        to_micros(after.updated_at), after.journal_seq, before.journal_seq, time_or_null(after.wake_at)}});
}

storage::statement without_interests(const entity_ref& ref) {
  return {"DELETE FROM interest WHERE kind = $1 AND tenant = $2 AND entity_key = $3",
          {ref.kind, ref.tenant.value, ref.key}};
}

storage::statement quarantine_mark(const entity_ref& ref, const stored_entity& before, storage::value at,
                                   storage::value error) {
  return one_row({"UPDATE entity SET quarantined_at = $4, last_error = COALESCE($5, last_error), journal_seq = $7"
                  " WHERE kind = $1 AND tenant = $2 AND entity_key = $3 AND journal_seq = $6",
                  {ref.kind, ref.tenant.value, ref.key, std::move(at), std::move(error), before.journal_seq,
                   before.journal_seq + 1}});
}

json why(std::string_view reason) { return reason.empty() ? json::object() : json{{"reason", reason}}; }

} // namespace

stored_entity row_after(const definition_change& c) {
  stored_entity after;
  const bool continues = c.before != nullptr;
  after.version = continues ? c.before->version + 1 : 1;
  after.enabled = c.compiled.enabled;
  after.name = storable(c.compiled.name, 500);
  after.label = storable(c.compiled.label, 100);
  after.created_at = continues ? c.before->created_at : c.now;
  after.created_by = continues ? c.before->created_by : c.context.who->principal.value;
  after.updated_at = c.now;
  after.restarts = continues ? c.before->restarts : 0;
  after.last_error = continues ? c.before->last_error : std::string{};
  after.journal_seq = after.snapshot_seq = continues ? c.before->journal_seq + 1 : 0;
  after.snapshot = c.state;
  after.wake_at = c.wake_at;
  return after;
}

storage::unit_of_work unit_of(const definition_change& c, const stored_entity& after) {
  auto unit = fenced_unit(c.right);
  auto& rows = unit.statements;
  rows.push_back(c.before ? changed_row(c.ref, *c.before, after) : new_row(c.ref, c.right.shard, after));
  rows.push_back(snapshot_row(c.ref, after.snapshot));
  rows.push_back({"INSERT INTO definition (kind, tenant, entity_key, version, body, change, summary, created_at,"
                  " created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                  {c.ref.kind, c.ref.tenant.value, c.ref.key, after.version, to_text(c.compiled.definition),
                   std::string(c.change), std::string(c.summary), to_micros(c.now), c.context.who->principal.value}});
  if (c.before) {
    rows.push_back(trim_journal(c.ref, c.before->journal_seq));
    rows.push_back(without_interests(c.ref));
    if (c.before->quarantined_at) rows.push_back(restart_row(c.ref, c.now, restart_outcome::revived, {}));
  }
  for (const auto& wish : c.compiled.interests)
    rows.push_back({"INSERT INTO interest (kind, tenant, entity_key, source, version, spec)"
                    " VALUES ($1, $2, $3, $4, $5, $6)",
                    {c.ref.kind, c.ref.tenant.value, c.ref.key, wish.source, after.version, to_text(wish.spec)}});
  json metadata{{"version", after.version}};
  if (!c.summary.empty()) metadata["summary"] = c.summary;
  rows.push_back(
      audit_row({c.ref, c.change, c.context, c.now, c.definition_before, c.compiled.definition, std::move(metadata)}));
  return unit;
}

json shown_definition(const json& definition, const stored_entity& row) {
  if (!definition.is_object()) return definition;
  auto shown = definition;
  shown["version"] = row.version;
  shown["created_at"] = to_rfc3339(row.created_at);
  shown["updated_at"] = to_rfc3339(row.updated_at);
  shown["created_by"] = row.created_by;
  return shown;
}

storage::unit_of_work unit_of_delete(const entity_ref& ref, const fence& right, const stored_entity& before,
                                     const json& definition, const call_context& context, utc_time now) {
  auto unit = fenced_unit(right);
  unit.statements.push_back(
      one_row({"UPDATE entity SET deleted_at = $4, updated_at = $4, enabled = 0, journal_seq = $6"
               " WHERE kind = $1 AND tenant = $2 AND entity_key = $3 AND journal_seq = $5",
               {ref.kind, ref.tenant.value, ref.key, to_micros(now), before.journal_seq, before.journal_seq + 1}}));
  unit.statements.push_back(without_interests(ref));
  unit.statements.push_back(audit_row({ref, "delete", context, now, definition, nullptr}));
  return unit;
}

storage::unit_of_work unit_of_quarantine(const entity_ref& ref, const fence& right, const stored_entity& before,
                                         std::string_view reason, const call_context& context, utc_time now) {
  auto unit = unit_of_action(ref, right, "quarantine", reason, context, now);
  unit.statements.push_back(quarantine_mark(ref, before, to_micros(now), std::string(reason)));
  return unit;
}

storage::unit_of_work unit_of_revival(const entity_ref& ref, const fence& right, const stored_entity& before,
                                      std::string_view reason, const call_context& context, utc_time now) {
  auto unit = unit_of_action(ref, right, "revive", reason, context, now);
  unit.statements.push_back(quarantine_mark(ref, before, std::monostate{}, std::monostate{}));
  unit.statements.push_back(restart_row(ref, now, restart_outcome::revived, {}));
  return unit;
}

storage::unit_of_work unit_of_action(const entity_ref& ref, const fence& right, std::string_view action,
                                     std::string_view reason, const call_context& context, utc_time now) {
  auto unit = fenced_unit(right);
  unit.statements.push_back(audit_row({ref, action, context, now, nullptr, nullptr, why(reason)}));
  return unit;
}

storage::unit_of_work unit_of_crash(const entity_ref& ref, const fence& right, const crash_record& crash,
                                    bool quarantine, utc_time now) {
  auto unit = fenced_unit(right);
  unit.statements.push_back(
      restart_row(ref, now, quarantine ? restart_outcome::quarantined : restart_outcome::restarted, crash));
  unit.statements.push_back({"UPDATE entity SET restarts = restarts + 1, last_error = $4, last_error_at = $5,"
                             " quarantined_at = COALESCE($6, quarantined_at)"
                             " WHERE kind = $1 AND tenant = $2 AND entity_key = $3",
                             {ref.kind, ref.tenant.value, ref.key, crash.error, to_micros(now),
                              quarantine ? storage::value(to_micros(now)) : storage::value()}});
  unit.statements.push_back(
      {"DELETE FROM restart_history WHERE kind = $1 AND tenant = $2 AND entity_key = $3 AND at < $4",
       {ref.kind, ref.tenant.value, ref.key, to_micros(now - restart_memory)}});
  return unit;
}

} // namespace tobit::entity
