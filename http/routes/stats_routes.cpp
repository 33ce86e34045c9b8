#include "http/codec/envelope.hpp"
#include "http/routes/execution_stats.hpp"
#include "http/routes/route_deps.hpp"
#include "http/routes/rule_answer.hpp"

#include <chrono>
#include <map>

namespace tobit::http {

using namespace storage;

namespace {

constexpr int period_days = 7;
constexpr std::int64_t busy_sample_max = 200; ///< executions of each rule in the list of the busiest

double rate_of(std::int64_t part, std::int64_t whole_number) {
  return whole_number == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole_number);
}

/// The latest executions of the busiest rules ($3 of them), or of one rule.
#define TOBIT_SAMPLE_COLUMNS                                                                                           \
  "SELECT s.rule_id, s.duration_ms, s.failed FROM (SELECT x.rule_id, x.duration_ms,"                                   \
  " CASE WHEN x.status = 'fail' THEN 1 ELSE 0 END AS failed,"                                                          \
  " ROW_NUMBER() OVER (PARTITION BY x.rule_id ORDER BY x.triggered_at DESC) AS place FROM rule_execution x"

std::map<std::string, execution_sample> samples_of(const rows& found) {
  std::map<std::string, execution_sample> out;
  for (const auto& row : found.values) {
    auto& sample = out[as_text(row[0])];
    sample.durations_ms.push_back(as_int(row[1]));
    sample.errors += as_int(row[2]);
  }
  return out;
}

void answer_busiest(const exchange_ptr& ex, const rows& found, std::int64_t total,
                    std::map<std::string, execution_sample> samples) {
  json rules = json::array();
  for (const auto& row : found.values) {
    rules.push_back({{"rule_id", as_text(row[0])},
                     {"rule_name", as_text(row[1])},
                     {"is_active", as_int(row[2]) != 0},
                     {"execution_count", as_int(row[3])},
                     {"error_count", as_int(row[4])},
                     {"error_rate", rate_of(as_int(row[4]), as_int(row[3]))},
                     {"avg_duration_ms", as_double(row[5])}});
    rules.back().update(shown_health(std::move(samples[as_text(row[0])])));
  }
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
                         ex->then([deps, ex, found](const rows& count) {
                           const auto since = to_micros(ex->now() - std::chrono::days{period_days});
                           deps.store->read(
                               {TOBIT_SAMPLE_COLUMNS
                                " JOIN (SELECT rule_id FROM rule_execution WHERE tenant = $1 AND triggered_at >= "
                                "CAST($2 AS BIGINT) GROUP BY rule_id ORDER BY COUNT(*) DESC, rule_id LIMIT CAST($3 AS "
                                "BIGINT)) b ON b.rule_id = x.rule_id WHERE x.tenant = $1 AND x.triggered_at >= "
                                "CAST($2 AS BIGINT)) s WHERE s.place <= CAST($4 AS BIGINT)",
                                {ex->tenant().value, since, ex->whole("limit"), busy_sample_max}},
                               ex->then([ex, found, total = as_int(count[0][0])](const rows& sample) {
                                 answer_busiest(ex, found, total, samples_of(sample));
                               }));
                         }));
      }));
}

void health(const route_deps& deps, const exchange_ptr& ex) {
  with_rule_version(deps, ex, [deps, ex](std::int64_t version) {
    const auto since = to_micros(ex->now() - std::chrono::days{period_days});
    deps.store->read({TOBIT_SAMPLE_COLUMNS
                      " WHERE x.tenant = $1 AND x.rule_id = $2 AND x.triggered_at >= CAST($3 AS BIGINT)) s"
                      " WHERE s.place <= CAST($4 AS BIGINT)",
                      {ex->tenant().value, ex->text("rule_id"), since, execution_sample_max}},
                     ex->then([ex, version](const rows& sample) {
                       auto answer = shown_health(std::move(samples_of(sample)[ex->text("rule_id")]));
                       answer["rule_id"] = ex->text("rule_id");
                       answer["rule_version"] = version;
                       answer["period_days"] = period_days;
                       ex->ok({{"health", std::move(answer)}});
                     }));
  });
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
  top.notes = "Percentiles and health are those of the latest 200 executions of each.";
  table.add(std::move(top));
  auto one = stats_route("/cep/rules/{rule_id}/health", "get_rule_health",
                         "How a rule's latest executions went: p50, p95, p99, success ratio.",
                         object({required("health", open_object({required("healthy", flag())}))}),
                         [deps](const exchange_ptr& ex) { health(deps, ex); });
  one.notes = "Of the latest 1,000 executions in seven days; healthy from a success ratio of 0.99 on.";
  one.needs = access::permitted("cep:read", "rule", "rule_id");
  one.parameters = {rule_id_parameter()};
  one.errors = {error_code::not_found};
  table.add(std::move(one));
  auto all =
      stats_route("/cep/stats/summary", "get_rule_stats", "Rules and executions in numbers.",
                  object({required("stats", open_object())}), [deps](const exchange_ptr& ex) { summary(deps, ex); });
  all.notes = "Today is the UTC day.";
  table.add(std::move(all));
}

} // namespace tobit::http
