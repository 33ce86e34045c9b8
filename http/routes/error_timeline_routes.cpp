#include "http/codec/envelope.hpp"
#include "http/routes/execution_stats.hpp"
#include "http/routes/route_deps.hpp"

#include <chrono>
#include <map>

namespace tobit::http {

using namespace storage;

namespace {

constexpr std::int64_t recent_max = 20, classified_max = 5'000;

struct period {
  std::string_view name;
  std::chrono::minutes length, step;
};
constexpr period periods[] = {{"1h", std::chrono::hours{1}, std::chrono::minutes{5}},
                              {"6h", std::chrono::hours{6}, std::chrono::minutes{30}},
                              {"24h", std::chrono::hours{24}, std::chrono::hours{1}},
                              {"7d", std::chrono::hours{168}, std::chrono::hours{6}}};

const period& period_of(const exchange& ex) {
  for (const auto& one : periods)
    if (one.name == ex.text("period")) return one;
  return periods[2];
}

std::int64_t micros(std::chrono::minutes time) { return std::chrono::microseconds{time}.count(); }

/// Where the first step of the timeline begins: steps lie on a grid, so that figures do not wander between two looks.
std::int64_t first_step(const period& over, utc_time now) {
  const auto step = micros(over.step);
  return (to_micros(now) - micros(over.length)) / step * step;
}

void answer_timeline(const exchange_ptr& ex, const period& over, const rows& steps, const rows& errors) {
  const auto step = micros(over.step), first = first_step(over, ex->now());
  std::map<std::int64_t, std::int64_t> counts;
  std::int64_t total = 0;
  for (const auto& row : steps.values) {
    counts[as_int(row[0])] = as_int(row[1]);
    total += as_int(row[1]);
  }
  json timeline = json::array();
  for (auto at = first; at <= to_micros(ex->now()); at += step)
    timeline.push_back({{"timestamp", to_rfc3339(from_micros(at))}, {"error_count", counts[at / step]}});
  json classes = json::object(), recent = json::array();
  for (auto name : error_classes()) classes[std::string(name)] = 0;
  for (const auto& row : errors.values) {
    const auto text = is_null(row[3]) ? std::string{} : as_text(row[3]);
    auto& count = classes[std::string(error_class(text))];
    count = count.get<std::int64_t>() + 1;
    if (static_cast<std::int64_t>(recent.size()) < recent_max)
      recent.push_back({{"exec_id", as_text(row[0])},
                        {"rule_id", as_text(row[1])},
                        {"triggered_at", time_or_null(as_int(row[2]))},
                        {"error_message", text},
                        {"error_class", error_class(text)}});
  }
  ex->ok({{"timeline", std::move(timeline)},
          {"error_distribution", std::move(classes)},
          {"recent_errors", std::move(recent)},
          {"period", over.name},
          {"total_errors", total}});
}

void error_timeline(const route_deps& deps, const exchange_ptr& ex) {
  const auto& over = period_of(*ex);
  const auto first = first_step(over, ex->now());
  deps.store->read(
      {"SELECT triggered_at / CAST($3 AS BIGINT) AS step, COUNT(*) FROM rule_execution WHERE tenant = $1"
       " AND status = 'fail' AND triggered_at >= CAST($2 AS BIGINT)"
       " GROUP BY triggered_at / CAST($3 AS BIGINT)",
       {ex->tenant().value, first, micros(over.step)}},
      ex->then([deps, ex, &over, first](const rows& steps) {
        deps.store->read(
            {"SELECT exec_id, rule_id, triggered_at, error_message FROM rule_execution WHERE tenant = $1"
             " AND status = 'fail' AND triggered_at >= CAST($2 AS BIGINT)"
             " ORDER BY triggered_at DESC, exec_id DESC LIMIT $3",
             {ex->tenant().value, first, classified_max}},
            ex->then([ex, &over, steps](const rows& errors) { answer_timeline(ex, over, steps, errors); }));
      }));
}

void event_stats(const route_deps& deps, const exchange_ptr& ex) {
  const auto& over = period_of(*ex);
  deps.store->read({"SELECT severity, ack, COUNT(*), COUNT(DISTINCT rule_id) FROM rule_event WHERE tenant = $1"
                    " AND triggered_at >= CAST($2 AS BIGINT) GROUP BY severity, ack",
                    {ex->tenant().value, to_micros(ex->now() - over.length)}},
                   ex->then([deps, ex, &over](const rows& found) {
                     std::int64_t total = 0, acked = 0;
                     json by_severity = json::object();
                     for (const auto& row : found.values) {
                       const auto count = as_int(row[2]);
                       total += count;
                       if (as_int(row[1]) != 0) acked += count;
                       by_severity[as_text(row[0])] = by_severity.value(as_text(row[0]), std::int64_t{0}) + count;
                     }
                     deps.store->read(
                         {"SELECT rule_id, MAX(rule_name), COUNT(*) AS n FROM rule_event WHERE tenant = $1"
                          " AND triggered_at >= CAST($2 AS BIGINT) GROUP BY rule_id ORDER BY n DESC, rule_id LIMIT 10",
                          {ex->tenant().value, to_micros(ex->now() - over.length)}},
                         ex->then([ex, &over, total, acked, by_severity](const rows& rules) {
                           json top = json::array();
                           for (const auto& row : rules.values)
                             top.push_back({{"rule_id", as_text(row[0])},
                                            {"rule_name", as_text(row[1])},
                                            {"event_count", as_int(row[2])}});
                           ex->ok({{"period", over.name},
                                   {"total_events", total},
                                   {"acked_count", acked},
                                   {"unacked_count", total - acked},
                                   {"by_severity", by_severity},
                                   {"top_rules", std::move(top)}});
                         }));
                   }));
}

route period_route(std::string path, std::string operation, std::string tag, std::string summary, shape answer,
                   route_handler handler) {
  return {.method = "GET",
          .path = std::move(path),
          .operation = std::move(operation),
          .tag = tag,
          .summary = std::move(summary),
          .needs = access::permitted("cep:read", tag == "rules" ? "rule" : "event"),
          .parameters = {in_query("period", choice({"1h", "6h", "24h", "7d"}).or_else("24h"))},
          .answers = {.type = std::move(answer)},
          .handler = std::move(handler)};
}

} // namespace

void add_error_timeline_routes(route_table& table, const route_deps& deps) {
  auto errors = period_route(
      "/cep/errors/timeline", "get_error_timeline", "rules", "How many executions of rules failed when, and why.",
      object({required("timeline", list_of(open_object())), required("error_distribution", open_object()),
              required("recent_errors", list_of(open_object())), required("period", text()),
              required("total_errors", whole(0, 1e15))}),
      [deps](const exchange_ptr& ex) { error_timeline(deps, ex); });
  errors.notes = "The distribution is that of the latest 5,000 errors, by words in their messages.";
  table.add(std::move(errors));
  table.add(period_route("/cep/events/stats", "get_event_stats", "events", "What rules stored in a period, counted.",
                         open_object({required("period", text()), required("total_events", whole(0, 1e15)),
                                      required("by_severity", open_object())}),
                         [deps](const exchange_ptr& ex) { event_stats(deps, ex); }));
}

} // namespace tobit::http
