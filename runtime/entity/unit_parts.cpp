#include "runtime/entity/unit_parts.hpp"

#include "schemas/json_text.hpp"
#include "schemas/redaction.hpp"

#include <algorithm>

namespace tobit::entity {

namespace {

constexpr std::string_view move_position =
    "UPDATE entity SET journal_seq = $5 WHERE kind = $1 AND tenant = $2 AND entity_key = $3 AND journal_seq = $4";

storage::statement guarded(storage::statement s, error_code mismatch) {
  s.expect_rows = 1;
  s.mismatch = mismatch;
  return s;
}

/// The column `outbox.report`: 0 no, 1 yes, 2 only if it failed.
std::int64_t report_wish(const outgoing_effect& effect) { return !effect.report ? 0 : effect.report_done ? 1 : 2; }

/// A `message_effect` as its JSON would be written.
std::string body_text(const outgoing_effect& effect) {
  if (!effect.said) return to_text(effect.body);
  std::string out;
  object_text{out}
      .written("body", effect.said.text())
      .text("name", effect.said.name())
      .text("to_key", effect.to_key)
      .text("to_kind", effect.to_kind)
      .end();
  return out;
}

/// The names of the fields whose values differ.
json changed_fields(const json& before, const json& after) {
  json names = json::array();
  if (!after.is_object()) return names;
  for (const auto& [name, value] : after.items())
    if (!before.is_object() || !before.contains(name) || before[name] != value) names.push_back(name);
  if (before.is_object())
    for (const auto& [name, value] : before.items())
      if (!after.contains(name)) names.push_back(name);
  return names;
}

} // namespace

storage::unit_of_work fenced_unit(const fence& right) {
  storage::unit_of_work unit;
  unit.lane = right.shard;
  unit.statements.push_back(guarded({"SELECT 1 FROM shard WHERE id = $1 AND owner = $2 AND epoch = $3 {for_share}",
                                     {std::int64_t{right.shard}, right.owner, right.epoch}},
                                    error_code::fenced));
  return unit;
}

storage::statement advance_journal(const entity_ref& ref, std::int64_t from, std::int64_t to) {
  return guarded({move_position, {ref.kind, ref.tenant.value, ref.key, from, to}}, error_code::unavailable);
}

storage::statement check_journal(const entity_ref& ref, std::int64_t at) {
  return guarded({"SELECT 1 FROM entity WHERE kind = $1 AND tenant = $2 AND entity_key = $3 AND journal_seq = $4",
                  {ref.kind, ref.tenant.value, ref.key, at}},
                 error_code::unavailable);
}

storage::statement snapshot_row(const entity_ref& ref, std::string state) {
  return {"INSERT INTO entity_snapshot (kind, tenant, entity_key, state) VALUES ($1, $2, $3, $4)"
          " ON CONFLICT (kind, tenant, entity_key) DO UPDATE SET state = excluded.state",
          {ref.kind, ref.tenant.value, ref.key, storage::bytes{std::move(state)}}};
}

void advance_with_snapshot(storage::unit_of_work& unit, const entity_ref& ref, std::int64_t from, std::int64_t to,
                           std::string state) {
  unit.statements.push_back(guarded({"UPDATE entity SET journal_seq = $5, snapshot_seq = $5"
                                     " WHERE kind = $1 AND tenant = $2 AND entity_key = $3 AND journal_seq = $4",
                                     {ref.kind, ref.tenant.value, ref.key, from, to}},
                                    error_code::unavailable));
  unit.statements.push_back(snapshot_row(ref, std::move(state)));
  unit.statements.push_back(trim_journal(ref, from));
}

storage::statement trim_journal(const entity_ref& ref, std::int64_t up_to) {
  return {"DELETE FROM journal WHERE kind = $1 AND tenant = $2 AND entity_key = $3 AND seq <= $4",
          {ref.kind, ref.tenant.value, ref.key, up_to}};
}

storage::statement journal_row(const entity_ref& ref, std::int64_t seq, const message& event, utc_time now) {
  return {"INSERT INTO journal (kind, tenant, entity_key, seq, name, body, at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
          {ref.kind, ref.tenant.value, ref.key, seq, std::string(event.name()), event.text(), to_micros(now)}};
}

storage::statement wake_row(const entity_ref& ref, std::optional<utc_time> at) {
  return {"UPDATE entity SET wake_at = $4 WHERE kind = $1 AND tenant = $2 AND entity_key = $3",
          {ref.kind, ref.tenant.value, ref.key, at ? storage::value(to_micros(*at)) : storage::value()}};
}

storage::statement close_report(const std::string& effect_id) {
  return {"UPDATE outbox SET report_at = NULL, report_error = NULL WHERE id = $1", {effect_id}};
}

storage::statement outbox_row(const outgoing_effect& effect, shard_id shard, std::chrono::microseconds grace) {
  return {"INSERT INTO outbox (id, shard, kind, tenant, entity_key, effect, body, context, correlation, status,"
          " next_attempt_at, created_at, report) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'pending', $10, $11, $12)",
          {effect.id, std::int64_t{shard}, effect.source.kind, effect.source.tenant.value, effect.source.key,
           effect.type, body_text(effect), encode_context(effect.context), effect.correlation,
           to_micros(effect.created_at + grace), to_micros(effect.created_at), report_wish(effect)}};
}

std::vector<outgoing_effect> outgoing(const entity_ref& source, std::vector<effect> effects, const moment& at) {
  std::vector<outgoing_effect> all;
  all.reserve(effects.size());
  for (auto& wanted : effects) {
    outgoing_effect out;
    out.id = effect_id(at.decision_id, all.size());
    out.source = source;
    out.type = std::move(wanted.type);
    out.body = std::move(wanted.body);
    out.said = wanted.said.written(); // for the row, and for the journal of whoever hears it
    out.to_kind = std::move(wanted.to_kind);
    out.to_key = std::move(wanted.to_key);
    out.correlation = std::move(wanted.correlation);
    out.context = at.context.child().with_deadline(steady_time::max());
    out.created_at = at.now;
    out.report = wanted.report;
    out.report_done = wanted.report_done;
    all.push_back(std::move(out));
  }
  return all;
}

storage::statement audit_row(const audit_record& r) {
  const json changes{{"fields", changed_fields(r.old_values, r.new_values)}};
  return {"INSERT INTO audit_log (audit_id, tenant, created_at, actor, action, resource_type, resource_id, changes,"
          " old_values, new_values, metadata, trace_id, parent_trace_id)"
          " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
          {new_uuid(), r.ref.tenant.value, to_micros(r.now), r.context.who->principal.value, std::string(r.action),
           r.ref.kind, r.ref.key, to_text(changes), to_text(redact_document(r.old_values)),
           to_text(redact_document(r.new_values)), to_text(r.metadata), to_string(r.context.trace),
           r.context.who->parent_trace}};
}

storage::statement restart_row(const entity_ref& ref, utc_time now, std::string_view outcome,
                               const crash_record& crash) {
  return {"INSERT INTO restart_history (kind, tenant, entity_key, at, outcome, error, message_name, message_body,"
          " trace_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
          {ref.kind, ref.tenant.value, ref.key, to_micros(now), std::string(outcome), crash.error, crash.message_name,
           crash.message_body, crash.trace}};
}

std::string storable(std::string_view text, std::size_t bytes) {
  if (text.size() > bytes) {
    while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
    text = text.substr(0, bytes);
  }
  // Writing JSON replaces what is not UTF-8; reading it back gives the text alone.
  auto clean = json::parse(to_text(json(text))).get<std::string>();
  std::replace(clean.begin(), clean.end(), '\0', ' ');
  return clean;
}

} // namespace tobit::entity
