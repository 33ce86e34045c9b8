#include "actors/rehearsal/backtest/live_history.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace tobit::rehearsal {

namespace {

using namespace storage;

constexpr std::chrono::seconds patience{60};
constexpr std::chrono::seconds before{1};

constexpr std::string_view executions =
    "SELECT triggered_at, exec_id, '' FROM rule_execution WHERE tenant = $1 AND rule_id = $2 AND triggered_at >= $3"
    " AND triggered_at < $4 AND status IN ('success', 'pending', 'fail')"
    " AND executed_by IN ('event', 'anomaly', 'pattern', 'metric', 'schedule') ORDER BY triggered_at LIMIT $5";

constexpr std::string_view fired_alerts =
    "SELECT fired_at, alert_id, alert_key FROM alert WHERE tenant = $1 AND rule_id = $2 AND fired_at >= $3"
    " AND fired_at < $4 ORDER BY fired_at LIMIT $5";

/// A notice may tell of several alerts.
constexpr std::string_view notices =
    "SELECT min(l.fired_at), l.log_id, min(l.channel) FROM alert a JOIN alert_history h ON h.alert_id = a.alert_id"
    " JOIN notification_log l ON l.log_id = h.notice_id WHERE a.tenant = $1 AND a.rule_id = $2 AND h.at >= $3"
    " AND h.at < $4 GROUP BY l.log_id ORDER BY 1 LIMIT $5";

result<std::vector<occurrence>> read(database& db, std::string_view sql, const std::vector<value>& params,
                                     bool& complete) {
  auto found = db.read_and_wait({sql, params}, patience);
  if (!found) return fail(std::move(found.error()));
  std::vector<occurrence> out;
  for (const auto& row : found->values) out.push_back({from_micros(as_int(row[0])), as_text(row[2]), as_text(row[1])});
  if (out.size() > live_rows_max) {
    out.resize(live_rows_max);
    complete = false;
  }
  return out;
}

} // namespace

result<live_history> read_history(database& db, const tenant_id& tenant, const std::string& rule_id, utc_time from,
                                  utc_time to, bool with_alerts) {
  live_history out;
  const std::vector<value> params{tenant.value, rule_id, to_micros(from), to_micros(to),
                                  static_cast<std::int64_t>(live_rows_max + 1)};
  for (const auto& [sql, into] :
       {std::pair{executions, &out.firings}, std::pair{fired_alerts, &out.alerts}, std::pair{notices, &out.notices}}) {
    if (into != &out.firings && !with_alerts) break;
    auto rows = read(db, sql, params, out.complete);
    if (!rows) return fail(std::move(rows.error()));
    *into = std::move(*rows);
  }
  return out;
}

matched_occurrences compare(std::vector<occurrence> rehearsed, std::vector<occurrence> live,
                            std::chrono::microseconds tolerance) {
  const auto by_time = [](const auto& a, const auto& b) { return a.at < b.at; };
  std::stable_sort(rehearsed.begin(), rehearsed.end(), by_time);
  std::stable_sort(live.begin(), live.end(), by_time);
  // By key, each side in the order of time: the earliest live one that is near enough is the partner.
  std::map<std::string, std::pair<std::vector<const occurrence*>, std::vector<const occurrence*>>> sides;
  for (const auto& one : rehearsed) sides[one.key].first.push_back(&one);
  for (const auto& one : live) sides[one.key].second.push_back(&one);
  matched_occurrences out;
  for (const auto& [key, side] : sides) {
    auto next = side.second.begin();
    for (const auto* one : side.first) {
      for (; next != side.second.end() && (*next)->at < one->at - before; ++next) out.only_live.push_back(**next);
      if (next != side.second.end() && (*next)->at <= one->at + tolerance) {
        ++out.both;
        ++next;
      } else {
        out.only_rehearsal.push_back(*one);
      }
    }
    for (; next != side.second.end(); ++next) out.only_live.push_back(**next);
  }
  std::stable_sort(out.only_live.begin(), out.only_live.end(), by_time);
  std::stable_sort(out.only_rehearsal.begin(), out.only_rehearsal.end(), by_time);
  return out;
}

} // namespace tobit::rehearsal
