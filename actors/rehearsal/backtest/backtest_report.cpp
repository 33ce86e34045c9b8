#include "actors/rehearsal/backtest/backtest_report.hpp"

#include <algorithm>
#include <map>

namespace tobit::rehearsal {

namespace {

/// How long after an event's arrival a live decision about it may come and still be the same one.
constexpr std::chrono::seconds tolerance{10};

/// The first entries as JSON, with the total.
template <class T, class F>
json listed(const std::vector<T>& list, std::size_t total, F show) {
  auto out = json::array();
  for (std::size_t i = 0; i < list.size() && i < backtest_listed_max; ++i) out.push_back(show(list[i]));
  const bool truncated = out.size() < total;
  return {{"total", total}, {"listed", std::move(out)}, {"truncated", truncated}};
}

json time_or_null(const std::optional<utc_time>& at) { return at ? json(to_rfc3339(*at)) : json(); }

/// One alert from its first match to its end.
struct alert_life {
  const alert_step* first = nullptr;
  const alert_step* last = nullptr;
  std::optional<utc_time> pending_at, firing_at, resolved_at;
};

std::vector<alert_life> lives_of(const course& what) {
  std::map<std::string, std::size_t> places;
  std::vector<alert_life> out;
  for (const auto& step : what.alert_steps.list) {
    const auto [place, fresh] = places.emplace(step.alert_id, out.size());
    if (fresh) out.emplace_back();
    auto& life = out[place->second];
    if (fresh) life.first = &step;
    life.last = &step;
    auto& at = step.status == "pending" ? life.pending_at : step.status == "firing" ? life.firing_at : life.resolved_at;
    if (!at || step.status == "resolved") at = step.at;
  }
  return out;
}

json shown(const alert_life& life) {
  return {{"alert_id", life.first->alert_id},
          {"key", life.first->key},
          {"labels", life.last->labels},
          {"severity", life.last->severity},
          {"summary", life.last->summary},
          {"status", life.last->status},
          {"pending_at", time_or_null(life.pending_at)},
          {"firing_at", time_or_null(life.firing_at)},
          {"resolved_at", time_or_null(life.resolved_at)}};
}

json shown(const fired& one) {
  return {{"at", to_rfc3339(one.at)},
          {"failed", one.failed},
          {"error", one.error.empty() ? json() : json(one.error)},
          {"references", parse_json(one.references).value_or(json())}};
}

json shown(const notice& one) {
  auto ids = json::array();
  for (std::size_t i = 0; i < one.what.alerts.size() && i < 20; ++i) ids.push_back(one.what.alerts[i].alert_id);
  return {{"at", to_rfc3339(one.at)},        {"channel", one.channel},         {"reason", one.what.reason},
          {"severity", one.what.severity},   {"policy", one.what.policy_name}, {"thread", one.what.thread},
          {"alerts", one.what.alerts_total}, {"alert_ids", std::move(ids)}};
}

/// Counts by channel and reason, e.g. {"ops": {"notices": 3, "firing": 2, "resolved": 1, "sent": 3}}.
json by_channel(const course& what) {
  auto out = json::object();
  const auto count = [&out](const std::string& channel, const std::string& name) {
    auto& entry = *out.emplace(channel, json::object()).first;
    entry[name] = entry.value(name, 0) + 1;
  };
  for (const auto& one : what.notices.list) {
    count(one.channel, "notices");
    if (!one.what.reason.empty()) count(one.channel, one.what.reason);
  }
  for (const auto& one : what.departures.list)
    if (one.by.kind == channel::kind_name) count(one.by.key, "sent");
  return out;
}

/// What was not told and why, from the rows that alerting and channels write about it.
json held_back(const course& what) {
  std::map<std::pair<std::string, std::string>, std::size_t> counts;
  for (const auto& row : what.rows.list) {
    const auto text = [&](const char* name) {
      const auto found = row.columns.find(name);
      return found != row.columns.end() && found->is_string() ? found->get<std::string>() : std::string{};
    };
    const auto what_became = row.table == "alert_history"      ? text("what")
                             : row.table == "rule_execution"   ? text("status")
                             : row.table == "channel_delivery" ? text("outcome")
                                                               : std::string{};
    if (what_became == "held" || what_became == "skipped" || what_became == "throttled" || what_became == "silenced" ||
        what_became == "inhibited" || what_became == "rate_limited" || what_became == "paused")
      ++counts[{what_became, text("reason")}];
  }
  auto out = json::array();
  for (const auto& [why, count] : counts)
    out.push_back({{"status", why.first}, {"reason", why.second}, {"count", count}});
  return out;
}

json actions(const course& what) {
  std::map<std::string, std::size_t> counts;
  for (const auto& one : what.departures.list)
    if (one.by.kind != channel::kind_name) ++counts[one.type];
  if (what.records.total > 0) counts["store"] = what.records.total;
  return counts;
}

// -- comparison -----------------------------------------------------------------------------------------------------

json shown(const occurrence& one) { return {{"at", to_rfc3339(one.at)}, {"key", one.key}, {"id", one.id}}; }

json compared(std::vector<occurrence> rehearsed, std::vector<occurrence> live) {
  const auto found = compare(std::move(rehearsed), std::move(live), tolerance);
  const auto show = [](const occurrence& one) { return shown(one); };
  return {{"both", found.both},
          {"only_rehearsal", listed(found.only_rehearsal, found.only_rehearsal.size(), show)},
          {"only_live", listed(found.only_live, found.only_live.size(), show)}};
}

json comparison(const course& what, const std::vector<alert_life>& lives, const live_history& live) {
  std::vector<occurrence> firings, alerts, notices;
  for (const auto& one : what.firings.list) firings.push_back({one.at, "", one.exec_id});
  for (const auto& one : lives)
    if (one.firing_at) alerts.push_back({*one.firing_at, one.first->key, one.first->alert_id});
  for (const auto& one : what.notices.list) notices.push_back({one.at, one.channel, one.what.notice_id});
  return {
      {"firings", compared(std::move(firings), live.firings)},
      {"alerts", compared(std::move(alerts), live.alerts)},
      {"notices", compared(std::move(notices), live.notices)},
      {"tolerance_seconds", tolerance.count()},
      {"complete", live.complete && what.firings.complete() && what.notices.complete() && what.alert_steps.complete()}};
}

} // namespace

json report_of(const backtest_order& order, const replayed& seen, const course& what, const live_history& live) {
  const auto lives = lives_of(what);
  const auto seconds = std::chrono::duration<double>(seen.took).count();
  const bool complete = seen.log_begins_at && *seen.log_begins_at <= order.from;
  const auto failed = static_cast<std::size_t>(
      std::count_if(what.firings.list.begin(), what.firings.list.end(), [](const auto& one) { return one.failed; }));
  auto remarks = json(seen.remarks);
  if (!what.firings.complete() || !what.notices.complete() || !what.alert_steps.complete())
    remarks.push_back("There was more than a report holds; totals count everything, lists and the comparison do not.");
  return {{"rule",
           {{"rule_id", order.rule_id},
            {"rule_name", order.live.value("rule_name", "")},
            {"version", order.version},
            {"changed", !order.changed.is_null()}}},
          {"range",
           {{"from", to_rfc3339(order.from)},
            {"to", to_rfc3339(order.to)},
            {"warm_up_seconds", order.warm_up.count()},
            {"log_begins_at", time_or_null(seen.log_begins_at)},
            {"complete", complete}}},
          {"events",
           {{"read", seen.events},
            {"evaluated", seen.wanted},
            {"batches", seen.batches},
            {"seconds", seconds},
            {"per_second", seconds > 0 ? static_cast<double>(seen.events) / seconds : 0.0}}},
          {"fired", listed(what.firings.list, what.firings.total, [](const auto& one) { return shown(one); })},
          {"failed", failed},
          {"actions", actions(what)},
          {"alerts", listed(lives, lives.size(), [](const auto& one) { return shown(one); })},
          {"notices", listed(what.notices.list, what.notices.total, [](const auto& one) { return shown(one); })},
          {"channels", by_channel(what)},
          {"held_back", held_back(what)},
          {"refused", what.refusals.total},
          {"comparison", comparison(what, lives, live)},
          {"remarks", std::move(remarks)}};
}

} // namespace tobit::rehearsal
