#include "http/codec/envelope.hpp"
#include "http/routes/paging.hpp"
#include "http/routes/route_deps.hpp"

namespace tobit::http {

using namespace storage;

namespace {

#define TOBIT_AUDIT_COLUMNS                                                                                            \
  "a.audit_id, a.created_at, a.actor, a.action, a.resource_type, a.resource_id, a.changes, a.old_values, "             \
  "a.new_values,"                                                                                                      \
  " a.metadata, a.trace_id, a.parent_trace_id, u.username"
#define TOBIT_AUDIT_TABLES " FROM audit_log a LEFT JOIN app_user u ON u.id = a.actor"

json parsed(const value& text) {
  auto read = parse_json(as_text(text));
  return read ? *read : json(nullptr);
}

json hyphenated(const std::string& trace) {
  const auto id = parse_trace_id(trace);
  return id ? json(to_hyphenated(*id)) : json(trace);
}

json shown(const std::vector<value>& row) {
  return {{"audit_id", as_text(row[0])},
          {"created_at", time_or_null(as_int(row[1]))},
          {"actor", as_text(row[2])},
          {"actor_name", is_null(row[12]) ? json(nullptr) : json(as_text(row[12]))},
          {"action", as_text(row[3])},
          {"resource_type", as_text(row[4])},
          {"resource_id", as_text(row[5])},
          {"changes", parsed(row[6])},
          {"old_values", parsed(row[7])},
          {"new_values", parsed(row[8])},
          {"metadata", parsed(row[9])},
          {"trace_id", hyphenated(as_text(row[10]))},
          {"parent_trace_id", as_text(row[11]).empty() ? json(nullptr) : json(as_text(row[11]))}};
}

json shown_all(const rows& found) {
  json all = json::array();
  for (const auto& row : found.values) all.push_back(shown(row));
  return all;
}

void list_audit(const route_deps& deps, const exchange_ptr& ex) {
  auto place = read_place(*ex);
  if (!place) return ex->refuse(place.error());
  deps.store->read(
      {"SELECT " TOBIT_AUDIT_COLUMNS TOBIT_AUDIT_TABLES
       " WHERE a.tenant = $1 AND (a.created_at, a.audit_id) < (CAST($2 AS BIGINT), CAST($3 AS TEXT))"
       " AND (CAST($4 AS TEXT) = '' OR a.resource_type = $4) AND (CAST($5 AS TEXT) = '' OR a.resource_id = $5)"
       " ORDER BY a.created_at DESC, a.audit_id DESC LIMIT CAST($6 AS BIGINT) OFFSET CAST($7 AS BIGINT)",
       {ex->tenant().value, place->before_us, place->before_key, ex->text("resource_type"), ex->text("resource_id"),
        place->limit, place->offset}},
      ex->then([ex, place = *place](const rows& found) {
        const auto last = found.empty() ? std::pair<std::int64_t, std::string>{}
                                        : std::pair{as_int(found.values.back()[1]), as_text(found.values.back()[0])};
        auto paging = page_metadata(place, found.size(), last.first, last.second);
        ex->ok({{"audit_logs", shown_all(found)},
                {"paging", {{"limit", place.limit}, {"offset", place.offset}, {"returned", found.size()}}}},
               paging);
      }));
}

void audit_of_trace(const route_deps& deps, const exchange_ptr& ex, const char* field, std::string_view sql,
                    bool stored_plain) {
  const auto& asked = ex->text("trace_id");
  const auto id = parse_trace_id(asked);
  const auto stored = !id ? asked : stored_plain ? to_string(*id) : to_hyphenated(*id);
  deps.store->read({sql, {ex->tenant().value, stored}}, ex->then([ex, field, asked](const rows& found) {
    if (found.empty()) return ex->refuse({error_code::not_found, "No change was made under this trace."});
    ex->ok({{field, asked}, {"audit_logs", shown_all(found)}, {"count", found.size()}});
  }));
}

shape row_shape() {
  return open_object({required("audit_id", text()), required("action", text()), required("actor", text())});
}

} // namespace

void add_audit_routes(route_table& table, const route_deps& deps) {
  const auto may = access::permitted("audit:read", "audit_log");
  auto parameters = paging_parameters(100, 500);
  parameters.push_back(in_query("resource_type", text(0, 64)));
  parameters.push_back(in_query("resource_id", text(0, 200)));
  table.add(
      {.method = "GET",
       .path = "/audit-log",
       .operation = "list_audit_log",
       .tag = "audit",
       .summary = "Every change, latest first.",
       .needs = may,
       .parameters = std::move(parameters),
       .answers = {.type = object({required("audit_logs", list_of(row_shape())), required("paging", open_object())})},
       .handler = [deps](const exchange_ptr& ex) { list_audit(deps, ex); }});
  const auto of_trace = [&](const char* path, const char* operation, const char* summary, const char* field,
                            std::string_view sql, bool plain) {
    table.add({.method = "GET",
               .path = path,
               .operation = operation,
               .tag = "audit",
               .summary = summary,
               .needs = may,
               .parameters = {in_path("trace_id", text(1, 128))},
               .answers = {.type = object({required(field, text()), required("audit_logs", list_of(row_shape())),
                                           required("count", whole(0, 1e9))})},
               .errors = {error_code::not_found},
               .handler = [deps, field, sql, plain](const exchange_ptr& ex) {
                 audit_of_trace(deps, ex, field, sql, plain);
               }});
  };
  of_trace("/audit-log/by-trace/{trace_id}", "get_audit_by_trace", "The changes made under one trace.", "trace_id",
           "SELECT " TOBIT_AUDIT_COLUMNS TOBIT_AUDIT_TABLES
           " WHERE a.tenant = $1 AND a.trace_id = $2 ORDER BY a.created_at, a.audit_id LIMIT 500",
           true);
  of_trace("/audit-log/by-parent-trace/{trace_id}", "get_audit_by_parent_trace",
           "The changes made under traces that named this one as their parent.", "parent_trace_id",
           "SELECT " TOBIT_AUDIT_COLUMNS TOBIT_AUDIT_TABLES
           " WHERE a.tenant = $1 AND a.parent_trace_id = $2 ORDER BY a.created_at, a.audit_id LIMIT 500",
           false);
}

} // namespace tobit::http
