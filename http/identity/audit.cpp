#include "http/identity/audit.hpp"

namespace tobit::http {

storage::statement audit_row(const call_context& context, const audited_change& change, utc_time now) {
  json changes = json::object();
  for (const auto& [name, value] : change.new_values.items()) {
    const auto before = change.old_values.find(name);
    if (before == change.old_values.end() || *before != value)
      changes[name] = {{"from", before == change.old_values.end() ? json(nullptr) : *before}, {"to", value}};
  }
  return {"INSERT INTO audit_log (audit_id, tenant, created_at, actor, action, resource_type, resource_id, changes,"
          " old_values, new_values, metadata, trace_id, parent_trace_id)"
          " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
          {new_uuid(), context.tenant().value, to_micros(now), context.who->principal.value, change.action,
           change.resource_type, change.resource_id, to_text(changes), to_text(change.old_values),
           to_text(change.new_values), to_text(change.metadata), to_string(context.trace), context.who->parent_trace},
          1};
}

} // namespace tobit::http
