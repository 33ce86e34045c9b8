#include "runtime/job/job_rows.hpp"

namespace tobit::job {

namespace {

using namespace storage;

value time_value(const std::optional<utc_time>& at) { return at ? value{to_micros(*at)} : value{}; }

std::optional<utc_time> time_of(const value& at) {
  return is_null(at) ? std::nullopt : std::optional(from_micros(as_int(at)));
}

json json_of(const value& text) { return is_null(text) ? json() : parse_json(as_text(text)).value_or(json()); }

value text_of(const json& document) { return document.is_null() ? value{} : value{to_text(document)}; }

value error_name(const job_view& view) {
  return view.failure ? value{std::string(describe(view.failure->code).name)} : value{};
}

value error_text(const job_view& view) { return view.failure ? value{std::string(view.failure->text())} : value{}; }

std::optional<error> failure_of(const value& name, const value& text) {
  if (is_null(name)) return std::nullopt;
  for (const auto& known : error_table())
    if (known.name == as_text(name)) return error{known.code, as_text(text)};
  return error{error_code::internal_server_error, as_text(text)};
}

} // namespace

statement insert_job(const job_view& view, const node_id& node) {
  return {"INSERT INTO job (job_id, tenant, kind, subject, wish, created_by, created_at, status, node)"
          " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
          {view.id, view.order.tenant.value, view.order.kind, view.order.subject, to_text(view.order.wish),
           view.order.by, to_micros(view.created_at), view.status, node.value}};
}

statement update_job(const job_view& view) {
  return {"UPDATE job SET status = $2, started_at = $3, finished_at = $4, done = $5, total = $6, details = $7,"
          " report = $8, error_name = $9, error = $10 WHERE job_id = $1",
          {view.id, view.status, time_value(view.started_at), time_value(view.finished_at), view.done, view.total,
           text_of(view.details), text_of(view.report), error_name(view), error_text(view)}};
}

statement interrupt_jobs(const node_id& node, utc_time now) {
  return {"UPDATE job SET status = 'interrupted', finished_at = $2, error_name = 'UNAVAILABLE',"
          " error = 'The node stopped before this was done; ask for it again.'"
          " WHERE node = $1 AND finished_at IS NULL",
          {node.value, to_micros(now)}};
}

statement select_job(const tenant_id& tenant, const std::string& kind, const std::string& id) {
  return {"SELECT " TOBIT_JOB_COLUMNS ", report FROM job WHERE job_id = $1 AND tenant = $2 AND kind = $3",
          {id, tenant.value, kind}};
}

statement select_jobs(const tenant_id& tenant, const std::string& kind, const std::string& subject,
                      std::int64_t limit) {
  return {"SELECT " TOBIT_JOB_COLUMNS " FROM job WHERE tenant = $1 AND kind = $2"
          " AND (CAST($3 AS TEXT) = '' OR subject = $3) ORDER BY created_at DESC, job_id DESC LIMIT CAST($4 AS BIGINT)",
          {tenant.value, kind, subject, limit}};
}

job_view job_of_row(const std::vector<value>& row) {
  job_view out;
  out.id = as_text(row[0]);
  out.order = {as_text(row[2]), tenant_id{as_text(row[1])}, as_text(row[3]), json_of(row[4]), as_text(row[5])};
  out.created_at = from_micros(as_int(row[6]));
  out.started_at = time_of(row[7]);
  out.finished_at = time_of(row[8]);
  out.status = as_text(row[9]);
  out.done = as_int(row[10]);
  out.total = as_int(row[11]);
  out.details = json_of(row[12]);
  out.failure = failure_of(row[13], row[14]);
  if (row.size() > 15) out.report = json_of(row[15]);
  return out;
}

} // namespace tobit::job
