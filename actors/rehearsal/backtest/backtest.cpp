#include "actors/rehearsal/backtest/backtest.hpp"

#include "actors/event/log_reader.hpp"
#include "actors/rehearsal/backtest/backtest_report.hpp"
#include "actors/rehearsal/backtest/stored_stream.hpp"
#include "actors/rehearsal/scene.hpp"
#include "schemas/alert/alert_protocol.hpp"
#include "schemas/channel/channel_protocol.hpp"
#include "schemas/rule/rule_protocol.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace tobit::rehearsal {

namespace {

constexpr std::chrono::seconds patience{60};
constexpr std::chrono::hours warm_up_max{24};

/// The longest time that the rule looks back, as far as its definition says so: what lies before the range by that much
/// still counts in it.
std::int64_t memory_seconds(const json& definition) {
  static constexpr std::array<std::string_view, 11> spans{
      "size_seconds",   "gap_seconds",         "allowed_lateness_seconds", "within_seconds",
      "for_seconds",    "keep_firing_seconds", "resolve_after_seconds",    "cooldown_seconds",
      "window_seconds", "slide_seconds",       "timeout_seconds"};
  std::int64_t longest = 0;
  if (definition.is_object())
    for (const auto& [name, value] : definition.items()) {
      if (value.is_structured())
        longest = std::max(longest, memory_seconds(value));
      else if (value.is_number() && std::find(spans.begin(), spans.end(), name) != spans.end())
        longest = std::max(longest, static_cast<std::int64_t>(std::min(value.get<double>(), 1e9)));
    }
  else if (definition.is_array())
    for (const auto& member : definition) longest = std::max(longest, memory_seconds(member));
  return longest;
}

result<utc_time> time_in(const json& wish, const char* name) {
  const auto text = wish.value(name, json());
  if (!text.is_string()) return fail(error_code::validation_error, {}, pointer_append("", name));
  auto read = parse_rfc3339(text.get<std::string>());
  if (!read) return fail(error_code::validation_error, read.error().message, pointer_append("", name));
  return read;
}

result<storage::rows> read(storage::database& db, storage::statement what) {
  return db.read_and_wait(std::move(what), patience);
}

/// Puts the rule of the order on the scene. Pointers of errors are those of the wish.
result<void> cast_rule(scene& on, const entity::kind_registry& kinds, const backtest_order& order) {
  if (order.changed.is_null()) return on.add_stored_rule(order.rule_id, order.version, order.live);
  const auto* kind = kinds.find(rule::kind_name);
  if (!kind) return fail(error_code::not_implemented);
  auto compiled = kind->compile(on.ref(rule::kind_name, order.rule_id), order.changed, &order.live);
  if (!compiled) {
    auto why = compiled.error();
    why.pointer = "/rule" + why.pointer;
    return fail(std::move(why));
  }
  return on.add_stored_rule(order.rule_id, order.version, std::move(compiled->definition));
}

/// The tenant's alerting and its channels as they are now, and their silences.
void cast_alerting(scene& on, const alerting_setting& setting, std::vector<std::string>& remarks) {
  const std::string only{alert::only_key};
  const auto added = on.add(alert::kind_name, only, setting.document.is_null() ? json::object() : setting.document);
  if (!added) return remarks.push_back("Alerting could not be rehearsed: " + std::string(added.error().text()));
  for (const auto& [key, definition] : setting.channels)
    if (auto done = on.add(channel::kind_name, key, definition); !done)
      remarks.push_back("The channel " + key + " could not be rehearsed: " + std::string(done.error().text()));
  for (const auto& silence : setting.silences) {
    auto said =
        decode_message("tobit.alert.put_silence.v1", {{"silence_id", ""}, {"body", silence}, {"by", "backtest"}});
    if (!said || !on.stage().deliver(on.ref(alert::kind_name, only), *said))
      remarks.push_back("A silence could not be rehearsed: " + to_text(silence));
  }
}

result<json> definition_of(storage::database& db, const backtest_order& order) {
  auto found =
      read(db, {"SELECT body FROM definition WHERE kind = $1 AND tenant = $2 AND entity_key = $3 AND version = $4",
                {std::string(rule::kind_name), order.tenant.value, order.rule_id, order.version}});
  if (!found) return fail(std::move(found.error()));
  if (found->empty()) return fail(error_code::not_found, "There is no such rule any more.");
  return parse_json(storage::as_text((*found)[0][0]));
}

} // namespace

result<backtest_order> backtest_order::read(const job::job_order& order) {
  const auto& wish = order.wish;
  backtest_order out;
  out.tenant = order.tenant;
  out.rule_id = order.subject;
  out.version = wish.value("version", std::int64_t{1});
  out.live = wish.value("live", json());
  out.changed = wish.value("rule", json());
  out.with_alerting = wish.value("with_alerting", true);
  auto from = time_in(wish, "from"), to = time_in(wish, "to");
  if (!from) return fail(from.error());
  if (!to) return fail(to.error());
  out.from = *from;
  out.to = *to;
  if (out.from >= out.to) return fail(error_code::validation_error, "'from' lies before 'to'.", "/from");
  if (out.to - out.from > backtest_range_max)
    return fail(error_code::validation_error, "A backtest covers at most 366 days; choose a shorter range.", "/from");
  const auto asked = wish.value("warm_up_seconds", json());
  const auto own = memory_seconds(out.changed.is_null() ? out.live : json::array({out.live, out.changed}));
  const auto seconds = asked.is_number_integer() ? asked.get<std::int64_t>() : own;
  out.warm_up = std::min<std::chrono::seconds>(std::chrono::seconds{std::max<std::int64_t>(seconds, 0)}, warm_up_max);
  return out;
}

result<alerting_setting> load_alerting(storage::database& db, const tenant_id& tenant, utc_time from, utc_time to) {
  alerting_setting out;
  auto found = read(db, {"SELECT e.kind, e.entity_key, d.body FROM entity e JOIN definition d ON d.kind = e.kind"
                         " AND d.tenant = e.tenant AND d.entity_key = e.entity_key AND d.version = e.version"
                         " WHERE e.tenant = $1 AND e.kind IN ('alerting', 'channel') AND e.deleted_at IS NULL"
                         " ORDER BY e.kind, e.entity_key LIMIT 5000",
                         {tenant.value}});
  if (!found) return fail(std::move(found.error()));
  for (const auto& row : found->values) {
    auto body = parse_json(storage::as_text(row[2]));
    if (!body) continue;
    if (storage::as_text(row[0]) == channel::kind_name)
      out.channels.emplace_back(storage::as_text(row[1]), std::move(*body));
    else if (storage::as_text(row[1]) == alert::only_key)
      out.document = std::move(*body);
  }
  auto silences = read(db, {"SELECT matchers, starts_at, ends_at, comment FROM silence WHERE tenant = $1"
                            " AND ends_at > $2 AND starts_at < $3 ORDER BY silence_id LIMIT 5000",
                            {tenant.value, to_micros(from), to_micros(to)}});
  if (!silences) return fail(std::move(silences.error()));
  for (const auto& row : silences->values)
    out.silences.push_back({{"matchers", parse_json(storage::as_text(row[0])).value_or(json::array())},
                            {"starts_at", to_rfc3339(from_micros(storage::as_int(row[1])))},
                            {"ends_at", to_rfc3339(from_micros(storage::as_int(row[2])))},
                            {"comment", storage::as_text(row[3])}});
  return out;
}

result<replayed> replay(storage::database& db, const entity::kind_registry& kinds, const backtest_order& order,
                        course& into, job::job_progress& progress) {
  replayed out;
  const auto begun = std::chrono::steady_clock::now();
  const auto start = order.from - order.warm_up;
  scene on{kinds, order.tenant, start, &into};
  into.since = order.from;
  if (auto cast = cast_rule(on, kinds, order); !cast) return fail(std::move(cast.error()));
  const auto& rule = on.rules().front();
  if (!rule.events)
    return fail(
        error_code::validation_error,
        "A backtest replays stored events, and this rule is not woken by events; try it with `tobit rule test`.");
  if (order.with_alerting && kinds.find(alert::kind_name)) {
    auto setting = load_alerting(db, order.tenant, start, order.to);
    if (!setting) return fail(std::move(setting.error()));
    cast_alerting(on, *setting, out.remarks);
  }
  auto sizes =
      read(db, {"SELECT (SELECT min(received_at) FROM event_batch), CAST(coalesce(sum(count), 0) AS BIGINT), count(*)"
                " FROM event_batch WHERE tenant = $1 AND received_at >= $2 AND received_at < $3",
                {order.tenant.value, to_micros(start), to_micros(order.to)}});
  if (!sizes) return fail(std::move(sizes.error()));
  const auto& row = (*sizes)[0];
  if (!storage::is_null(row[0])) out.log_begins_at = from_micros(storage::as_int(row[0]));
  const auto total = storage::as_int(row[1]);
  if (!out.log_begins_at)
    out.remarks.emplace_back(
        "The event log is empty: events were never stored, or all were removed by retention.events.");
  else if (*out.log_begins_at > order.from)
    out.remarks.push_back("The event log reaches back to " + to_rfc3339(*out.log_begins_at) +
                          " only; older events were removed (setting retention.events) or never arrived.");
  progress.report(0, total);
  stored_stream events{db, {order.tenant, start, order.to, *rule.events}};
  while (true) {
    if (progress.called_off()) return fail(error_code::unavailable, "The backtest was called off.");
    auto page = events.next();
    if (!page) return fail(std::move(page.error()));
    if (page->empty()) break;
    for (auto& batch : *page) {
      out.events += static_cast<std::int64_t>(batch.events);
      ++out.batches;
      if (batch.wanted.empty()) continue;
      out.wanted += static_cast<std::int64_t>(batch.wanted.size());
      if (auto passed = on.stage().advance_to(batch.received_at); !passed) return fail(std::move(passed.error()));
      auto done = on.stage().deliver(rule.ref, message::of(rule::evaluate_events{0, std::move(batch.wanted)}));
      if (!done) return fail(std::move(done.error()));
    }
    progress.report(out.events, total, {{"fired", into.firings.total}, {"at", to_rfc3339(page->back().received_at)}});
  }
  if (auto passed = on.stage().advance_to(order.to - std::chrono::microseconds{1}); !passed)
    return fail(std::move(passed.error()));
  out.took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun);
  progress.report(out.events, std::max(total, out.events));
  return out;
}

result<json> backtest_work::check(const job::job_order& order) const {
  auto read = backtest_order::read(order);
  if (!read) return fail(std::move(read.error()));
  course nothing;
  scene on{kinds_, read->tenant, read->from, &nothing};
  if (auto cast = cast_rule(on, kinds_, *read); !cast) return fail(std::move(cast.error()));
  if (!on.rules().front().events)
    return fail(
        error_code::validation_error,
        "A backtest replays stored events, and this rule is not woken by events; try it with `tobit rule test`.");
  auto wish = order.wish;
  wish["warm_up_seconds"] = read->warm_up.count();
  wish.erase("live"); // it is stored as the rule's version, and nowhere else
  return wish;
}

result<json> backtest_work::run(const job::job_order& order, job::job_progress& progress) {
  auto read = backtest_order::read(order);
  if (!read) return fail(std::move(read.error()));
  auto live_definition = definition_of(db_, *read);
  if (!live_definition) return fail(std::move(live_definition.error()));
  read->live = std::move(*live_definition);
  course what;
  auto seen = replay(db_, kinds_, *read, what, progress);
  if (!seen) return fail(std::move(seen.error()));
  auto live =
      read_history(db_, read->tenant, read->rule_id, read->from, read->to, kinds_.find(alert::kind_name) != nullptr);
  if (!live) return fail(std::move(live.error()));
  return report_of(*read, *seen, what, *live);
}

} // namespace tobit::rehearsal
