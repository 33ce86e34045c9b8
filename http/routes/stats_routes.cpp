#include "http/codec/envelope.hpp"
#include "http/routes/route_deps.hpp"

#include <chrono>

namespace tobit::http {

using namespace storage;

namespace {

constexpr int period_days = 7;

double rate_of(std::int64_t part, std::int64_t whole_number) {
  return whole_number == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole_number);
}

void answer_busiest(const exchange_ptr& ex, const rows& found, std::int64_t total) {
  json rules = json::array();
  for (const auto& row : found.values)
    rules.push_back({{"rule_id", as_text(row[0])},
                     {"rule_name", as_text(row[1])},
                     {"is_active", as_int(row[2]) != 0},
                     {"execution_count", as_int(row[3])},
                     {"error_count", as_int(row[4])},
                     {"error_rate", rate_of(as_int(row[4]), as_int(row[3]))},
                     {"avg_duration_ms", as_double(row[5])}});
  ex->ok({{"rules", rules}, {"total_rules", total}, {"period_days", period_days}});
}

void busiest(const route_deps& deps, const exchange_ptr& ex) {
  deps.store->read(
      {"SELECT x.rule_id, e.name, e.enabled, x.runs, x.errors, x.took"
       " FROM (SELECT rule_id, COUNT(*) AS runs, CAST(SUM(CASE WHEN status = 'fail' THEN 1 ELSE 0 END) AS BIGINT) AS "
       "errors,"
       " CAST(AVG(duration_ms) AS DOUBLE PRECISION) AS took FROM rule_execution WHERE tenant = $1 AND triggered_at >= "
       "CAST($2 AS BIGINT)"
       " GROUP BY rule_id) x JOIN entity e ON e.kind = 'rule' AND e.tenant = $1 AND e.entity_key = x.rule_id"
       " AND e.deleted_at IS NULL ORDER BY x.runs DESC, x.rule_id LIMIT CAST($3 AS BIGINT)",
       {ex->tenant().value, to_micros(ex->now() - std::chrono::days{period_days}), ex->whole("limit")}},
      ex->then([deps, ex](const rows& found) {
        deps.store->read({"SELECT COUNT(*) FROM entity WHERE kind = 'rule' AND tenant = $1 AND deleted_at IS NULL",
                          {ex->tenant().value}},
                         ex->then([ex, found](const rows& count) { answer_busiest(ex, found, as_int(count[0][0])); }));
      }));
}

void answer_summary(const exchange_ptr& ex, const rows& rules, const rows& runs) {
  const auto total = as_int(rules[0][0]), active = as_int(rules[0][1]), today = as_int(runs[0][0]),
             errors = as_int(runs[0][1]);
  ex->ok({{"stats",
           {{"total_rules", total},
            {"active_rules", active},
            {"inactive_rules", total - active},
            {"today_execution_count", today},
            {"today_error_count", errors},
            {"today_error_rate", rate_of(errors, today)},
            {"today_avg_duration_ms", as_double(runs[0][2])},
            {"last_24h_execution_count", as_int(runs[0][3])},
            {"timestamp", to_rfc3339(ex->now())}}}});
}

void summary(const route_deps& deps, const exchange_ptr& ex) {
  deps.store->read(
      {"SELECT COUNT(*), CAST(COALESCE(SUM(enabled), 0) AS BIGINT) FROM entity"
       " WHERE kind = 'rule' AND tenant = $1 AND deleted_at IS NULL",
       {ex->tenant().value}},
      ex->then([deps, ex](const rows& rules) {
        const auto now = ex->now();
        const auto midnight = to_micros(std::chrono::floor<std::chrono::days>(now));
        const auto day_ago = to_micros(now - std::chrono::days{1});
        deps.store->read(
            {"SELECT CAST(COALESCE(SUM(CASE WHEN triggered_at >= CAST($2 AS BIGINT) THEN 1 ELSE 0 END), 0) AS BIGINT),"
             " CAST(COALESCE(SUM(CASE WHEN triggered_at >= CAST($2 AS BIGINT) AND status = 'fail' THEN 1 ELSE 0 END), "
             "0) AS BIGINT),"
             " CAST(COALESCE(AVG(CASE WHEN triggered_at >= CAST($2 AS BIGINT) THEN duration_ms END), 0) AS DOUBLE "
             "PRECISION),"
             " COUNT(*) FROM rule_execution WHERE tenant = $1 AND triggered_at >= CAST($3 AS BIGINT)",
             {ex->tenant().value, midnight, day_ago}},
            ex->then([ex, rules](const rows& runs) { answer_summary(ex, rules, runs); }));
      }));
}

route stats_route(const char* path, const char* operation, const char* text_summary, shape type,
                  route_handler handler) {
  return {.method = "GET",
          .path = path,
          .operation = operation,
          .tag = "rules",
          .summary = text_summary,
          .needs = access::permitted("cep:read", "rule"),
          .answers = {.type = std::move(type)},
          .handler = std::move(handler)};
}

} // namespace

void add_stats_routes(route_table& table, const route_deps& deps) {
  auto top =
      stats_route("/cep/rules/performance", "get_rule_performance", "The rules that ran most in the last seven days.",
                  object({required("rules", list_of(open_object({required("rule_id", text())}))),
                          required("total_rules", whole(0, 1e9)), required("period_days", whole(0, 1e9))}),
                  [deps](const exchange_ptr& ex) { busiest(deps, ex); });
  top.parameters = {in_query("limit", whole(1, 50).or_else(10))};
  table.add(std::move(top));
  auto all =
      stats_route("/cep/stats/summary", "get_rule_stats", "Rules and executions in numbers.",
                  object({required("stats", open_object())}), [deps](const exchange_ptr& ex) { summary(deps, ex); });
  all.notes = "Today is the UTC day.";
  table.add(std::move(all));
}

} // namespace tobit::http
