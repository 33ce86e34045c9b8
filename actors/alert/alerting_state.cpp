#include "actors/alert/alerting_state.hpp"

#include "actors/alert/alert_rows.hpp"
#include "actors/rule/execution_log.hpp"
#include "runtime/entity/unit_parts.hpp"
#include "schemas/json_text.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>

namespace tobit::alert {

namespace {

constexpr std::int64_t step_us = 2'000'000; ///< a clock set back further than this is noticed
constexpr std::int64_t for_good = std::numeric_limits<std::int64_t>::max();

/// How a channel's word about a notice stands in the log (contract: sent, skipped, fail).
std::string_view log_status(const std::string& outcome) {
  if (outcome == "sent" || outcome == "passed_on") return "sent";
  return outcome == "failed" ? "fail" : "skipped";
}

/// What a person did, for the audit log.
void audit(alerting_turn& t, std::string_view action, std::string kind, const std::string& id, json before,
           json after) {
  if (!t.context) return;
  t.out.statements.push_back(entity::audit_row({{std::move(kind), t.tenant, id},
                                                action,
                                                *t.context,
                                                t.now,
                                                std::move(before),
                                                std::move(after),
                                                json::object()}));
}

bool understood(const message& m) {
  return m.as<alerts_changed>() || m.as<alert_changed>() || m.as<acknowledge_alert>() || m.as<resolve_alert>() ||
         m.as<put_silence>() || m.as<end_silence>() || m.as<channel::notice_settled>() ||
         m.as<entity::effect_settled>() || m.as<entity::wake_entity>();
}

} // namespace

alerting_state::alerting_state(const entity_ref& ref, const json& definition)
    : tenant_(ref.tenant), plan_(definition), inhibitions_(plan_.inhibitions), dispatch_(plan_, book_) {}

// -- messages --------------------------------------------------------------------------------------------------------

result<entity::decision> alerting_state::decide(const message& request, const entity::moment& at) {
  if (!understood(request))
    return fail(error_code::not_implemented,
                "Alerting does not understand the message " + std::string(request.name()) + ".");
  alerting_turn t{at.now, std::string(at.decision_id), tenant_, to_string(at.context.trace), &at.context};
  const auto latest = latest_us_;
  auto reply = step(request, t);
  if (!reply) return fail(std::move(reply.error()));
  if (t.changed)
    t.out.events.push_back(message::of(
        alerting_stepped{++sequence_, to_micros(at.now), latest, t.id, std::string(request.name()), nullptr, request}));
  t.out.reply = std::move(*reply);
  return std::move(t.out);
}

void alerting_state::apply(const message& event) {
  const auto* stepped = event.as<alerting_stepped>();
  if (!stepped || stepped->sequence <= sequence_) return;
  sequence_ = stepped->sequence;
  const auto request = stepped->said ? result<message>(stepped->said) : decode_message(stepped->name, stepped->body);
  if (!request) {
    spdlog::error("alerting_journal_skipped message={} error=\"{}\"", stepped->name, request.error().text());
    return;
  }
  alerting_turn t{from_micros(stepped->at_us), stepped->id, tenant_, {}, nullptr};
  latest_us_ = stepped->latest_us;
  (void)step(*request, t);
}

result<message> alerting_state::step(const message& request, alerting_turn& t) {
  // What people ask for may be refused, and a refusal must change nothing: they come first, what is due after them.
  result<message> reply = message::of(entity::entity_done{});
  if (const auto* ack = request.as<acknowledge_alert>())
    reply = on_acknowledge(*ack, t);
  else if (const auto* resolve = request.as<resolve_alert>())
    reply = on_resolve(*resolve, t);
  else if (const auto* put = request.as<put_silence>())
    reply = on_put_silence(*put, t);
  else if (const auto* end = request.as<end_silence>())
    reply = on_end_silence(*end, t);
  if (!reply) return reply;
  notice_clock(t);
  if (needs_routing_) reroute(t);
  if (silence_edge_us_ != 0 && silence_edge_us_ <= t.now_us()) hush(t);
  if (const auto* changes = request.as<alerts_changed>())
    reply = message::of(on_changes(*changes, t));
  else if (const auto* change = request.as<alert_changed>())
    reply = message::of(on_changes({{*change}}, t));
  else if (const auto* settled = request.as<channel::notice_settled>())
    on_notice(*settled, t);
  else if (const auto* effect = request.as<entity::effect_settled>())
    on_effect(*effect, t);
  dispatch_.run(t);
  return reply;
}

void alerting_state::notice_clock(alerting_turn& t) {
  const auto now_us = t.now_us();
  if (now_us + step_us < latest_us_) {
    dispatch_.shift(latest_us_ - now_us);
    latest_us_ = now_us;
    t.changed = true;
  }
  latest_us_ = std::max(latest_us_, now_us);
}

// -- alerts ----------------------------------------------------------------------------------------------------------

alerts_noted alerting_state::on_changes(const alerts_changed& batch, alerting_turn& t) {
  alerts_noted answer;
  for (const auto& change : batch.changes) {
    ++changes_;
    if (!change.alert_id.empty() && !book_.knows(change)) {
      t.changed = true;
      on_change(change, t);
    } else {
      ++answer.repeated;
    }
  }
  repeated_ += answer.repeated;
  return answer;
}

void alerting_state::on_change(const alert_changed& change, alerting_turn& t) {
  auto* known = book_.find(change.alert_id);
  const bool ends = change.status == "resolved" || change.status == "inactive";
  if (!known && !ends && book_.full()) {
    ++refused_;
    live_alert lost{change, false, {}, {}, 0, {}, {}, {}};
    t.out.statements.push_back(alert_row(t, lost));
    t.out.statements.push_back(
        history_row(t, change.alert_id, {"held", "there are too many live alerts to tell of this one", {}, {}, {}}));
    return book_.end(change.alert_id, change.change);
  }
  const bool fired_before = known && known->firing();
  std::set<std::string> affected;
  if (fired_before) inhibitions_.remove(change.alert_id, affected);
  auto event_id = known ? known->facts.event_id : std::string{};
  auto& a = book_.put(change);
  if (a.facts.event_id.empty()) a.facts.event_id = std::move(event_id);
  if (a.firing()) inhibitions_.add(change.alert_id, a.facts.labels, affected);
  if (!ends) hush(a, t);
  hush_affected(affected, t);
  t.out.statements.push_back(alert_row(t, a));
  t.out.statements.push_back(history_row(
      t, change.alert_id, {fired_before && a.firing() ? "noted" : change.status, change.reason, {}, {}, {}}));
  if (a.firing() && !fired_before) return begin_firing(a, t);
  tell_stream(a, "alert_changed", t);
  if (ends) over(a, t);
}

void alerting_state::begin_firing(live_alert& a, alerting_turn& t) {
  show_event(a, t);
  tell_stream(a, "alert_changed", t);
  dispatch_.route(a, t);
  if (a.groups.empty() && plan_.policies.empty() && a.facts.channels.empty()) return;
  if (a.groups.empty())
    t.out.statements.push_back(history_row(t, a.facts.alert_id, {"held", "no notification fits it", {}, {}, {}}));
}

/// Its groups still have to tell that it is over, if they told of it.
void alerting_state::over(live_alert& a, alerting_turn& t) {
  if (a.groups.empty())
    book_.end(a.facts.alert_id, a.facts.change);
  else
    dispatch_.stir(a, t);
}

/// Unless the rule's own action stored a record: one for /cep/events.
void alerting_state::show_event(const live_alert& a, alerting_turn& t) const {
  const auto& f = a.facts;
  if (!f.event_id.empty()) return;
  std::string payload;
  object_text{payload}
      .text("alert_id", f.alert_id)
      .value("annotations", f.annotations)
      .text("key", f.key)
      .value("labels", f.labels)
      .value("values", f.values)
      .end();
  const rule::stored_event row{f.alert_id,        tenant_,
                               f.rule_id,         f.rule_name,
                               f.exec_id,         t.now,
                               f.severity,        f.summary,
                               nullptr,           parse_trace_id(f.trace_id).value_or(trace_id{}),
                               std::move(payload)};
  t.out.statements.push_back(rule::insert_stored_event(row));
  t.out.publications.push_back({"cep.events", rule::to_stream_item(row), "new_event"});
}

void alerting_state::tell_stream(const live_alert& a, std::string_view event, alerting_turn& t) const {
  t.out.publications.push_back({"cep.events", shown(a), std::string(event)});
}

result<message> alerting_state::on_acknowledge(const acknowledge_alert& wish, alerting_turn& t) {
  auto* a = book_.find(wish.alert_id);
  if (!a) return fail(error_code::not_found, "There is no live alert with this id; it may be over. See its history.");
  if (a->acked) return message::of(alert_answer{shown(*a), false}); // the first one counts
  t.changed = true;
  a->acked = true;
  a->ack_by = wish.by.substr(0, 200);
  a->ack_comment = wish.comment.substr(0, 1'000);
  a->acked_us = t.now_us();
  t.out.statements.push_back(alert_row(t, *a));
  t.out.statements.push_back(history_row(t, wish.alert_id, {"acknowledged", wish.comment, wish.by, {}, {}}));
  const auto event_id = a->facts.event_id.empty() ? wish.alert_id : a->facts.event_id;
  t.out.statements.push_back({"UPDATE rule_event SET ack = 1, ack_at = $2, ack_by = $3 WHERE event_id = $1 AND ack = 0",
                              {event_id, t.now_us(), a->ack_by}});
  auto item = shown(*a);
  item["event_id"] = event_id;
  item["triggered_at"] = item["started_at"];
  item["notification_id"] = nullptr;
  t.out.publications.push_back({"cep.events", std::move(item), "ack_event"});
  audit(t, "ack", "alert", wish.alert_id, {{"ack", false}},
        {{"ack", true}, {"ack_by", a->ack_by}, {"comment", a->ack_comment}});
  dispatch_.acknowledged(*a, t);
  return message::of(alert_answer{shown(*a), true});
}

result<message> alerting_state::on_resolve(const resolve_alert& wish, alerting_turn& t) {
  auto* a = book_.find(wish.alert_id);
  if (!a || a->facts.status == "resolved")
    return fail(error_code::not_found, "There is no live alert with this id; it may be over. See its history.");
  t.changed = true;
  std::set<std::string> affected;
  inhibitions_.remove(wish.alert_id, affected);
  a->facts.status = "resolved";
  a->facts.reason = "resolved by hand" + (wish.comment.empty() ? "" : ": " + wish.comment.substr(0, 1'000));
  a->facts.change = for_good; // what the rule says of this alert later is history
  a->facts.at_us = t.now_us();
  t.out.statements.push_back(alert_row(t, *a));
  t.out.statements.push_back(history_row(t, wish.alert_id, {"resolved", a->facts.reason, wish.by, {}, {}}));
  tell_stream(*a, "alert_changed", t);
  audit(t, "resolve", "alert", wish.alert_id, {{"status", "firing"}},
        {{"status", "resolved"}, {"reason", a->facts.reason}});
  alert_answer answer{shown(*a), true};
  hush_affected(affected, t);
  over(*a, t);
  return message::of(std::move(answer));
}

// -- silences and inhibitions ----------------------------------------------------------------------------------------

result<message> alerting_state::on_put_silence(const put_silence& wish, alerting_turn& t) {
  const auto* before = wish.silence_id.empty() ? nullptr : silences_.find(wish.silence_id);
  if (!wish.silence_id.empty() && !before)
    return fail(error_code::not_found, "There is no silence with this id that has not ended; create a new one.");
  auto s = silences_.read(wish.body, before, t.now);
  if (!s) return fail(std::move(s.error()));
  t.changed = true;
  if (!before) {
    s->id = t.next_id();
    s->created_by = wish.by.substr(0, 200);
    s->created_us = t.now_us();
  }
  audit(t, before ? "update" : "create", "silence", s->id, before ? shown(*before, t.now) : json(), shown(*s, t.now));
  silences_.put(*s);
  t.out.statements.push_back(silence_row(t, *s, wish.by));
  hush(t);
  silence_answer answer{shown(*s, t.now), 0};
  for (const auto& [id, a] : book_.all()) answer.affected += a.silenced_by == s->id;
  return message::of(std::move(answer));
}

result<message> alerting_state::on_end_silence(const end_silence& wish, alerting_turn& t) {
  const auto* found = silences_.find(wish.silence_id);
  if (!found) return fail(error_code::not_found, "There is no silence with this id that has not ended.");
  t.changed = true;
  auto s = *found;
  s.starts_us = std::min(s.starts_us, t.now_us());
  s.ends_us = t.now_us();
  silence_answer answer{shown(s, t.now), 0};
  for (const auto& [id, a] : book_.all()) answer.affected += a.silenced_by == s.id;
  audit(t, "end", "silence", s.id, shown(*found, t.now), shown(s, t.now));
  t.out.statements.push_back(silence_row(t, s, wish.by));
  silences_.remove(wish.silence_id);
  hush(t);
  return message::of(std::move(answer));
}

std::int64_t alerting_state::hush(alerting_turn& t) {
  t.changed = silences_.sweep(t.now) || t.changed;
  std::int64_t changed = 0;
  for (auto& [id, a] : book_.all()) {
    if (a.facts.status == "resolved" || !hush(a, t)) continue;
    ++changed;
    t.out.statements.push_back(quiet_row(t, a));
  }
  const auto edge = silences_.next_edge(t.now);
  const auto edge_us = edge ? to_micros(*edge) : 0;
  t.changed = t.changed || changed > 0 || edge_us != silence_edge_us_;
  silence_edge_us_ = edge_us;
  return changed;
}

bool alerting_state::hush(live_alert& a, alerting_turn& t) {
  const auto& id = a.facts.alert_id;
  const auto* s = silences_.fitting(a.facts.labels, t.now);
  auto silenced = s ? s->id : std::string{};
  auto inhibited = a.firing() ? inhibitions_.inhibitor_of(id) : std::string{};
  if (silenced == a.silenced_by && inhibited == a.inhibited_by) return false;
  const bool was_quiet = a.quiet();
  if (silenced != a.silenced_by && !silenced.empty())
    t.out.statements.push_back(history_row(t, id, {"silenced", "by the silence " + silenced, s->created_by, {}, {}}));
  if (inhibited != a.inhibited_by && !inhibited.empty())
    t.out.statements.push_back(history_row(t, id, {"inhibited", "by the alert " + inhibited, {}, {}, {}}));
  a.silenced_by = std::move(silenced);
  a.inhibited_by = std::move(inhibited);
  if (was_quiet && !a.quiet()) {
    t.out.statements.push_back(history_row(t, id, {"audible", "nothing keeps it quiet any more", {}, {}, {}}));
    dispatch_.stir(a, t);
  }
  return true;
}

void alerting_state::hush_affected(const std::set<std::string>& affected, alerting_turn& t) {
  for (const auto& id : affected)
    if (auto* other = book_.find(id); other && other->firing() && hush(*other, t))
      t.out.statements.push_back(quiet_row(t, *other));
}

void alerting_state::reroute(alerting_turn& t) {
  needs_routing_ = false;
  t.changed = true;
  dispatch_.drop_strangers(t);
  for (auto& [id, a] : book_.all())
    if (a.firing()) dispatch_.route(a, t);
  hush(t);
}

// -- how notices ended -----------------------------------------------------------------------------------------------

void alerting_state::on_notice(const channel::notice_settled& end, alerting_turn& t) const {
  const auto why = end.outcome == "sent" ? std::string{} : end.outcome + (end.error.empty() ? "" : ": " + end.error);
  t.out.statements.push_back(settled_row(t, end.notice_id, log_status(end.outcome), why, nullptr));
}

/// A notice that a channel took is settled by the channel; only one that it could not take ends here.
void alerting_state::on_effect(const entity::effect_settled& end, alerting_turn& t) const {
  if (end.type == entity::message_effect::effect_type && end.done) return;
  t.out.statements.push_back(
      settled_row(t, end.correlation, end.done ? "sent" : "fail", end.done ? std::string{} : end.error, end.answer));
}

// -- keeping ---------------------------------------------------------------------------------------------------------

std::string alerting_state::snapshot() const {
  std::string out;
  object_text object{out};
  book_.snapshot(object.begin("book"));
  dispatch_.snapshot(object.begin("dispatch"));
  object.value("plan", plan_.mark)
      .flag("routing", needs_routing_)
      .number("sequence", sequence_)
      .number("silence_edge", silence_edge_us_)
      .value("silences", silences_.snapshot())
      .number("v", 1)
      .end();
  return out;
}

result<void> alerting_state::restore(std::string_view snapshot) {
  if (snapshot.empty()) return {};
  const auto in = parse_json(snapshot);
  if (!in || !in->is_object() || in->value("v", json()) != 1)
    return fail(error_code::internal_server_error,
                "The snapshot of alerting cannot be read; a newer release may have written it.");
  try {
    sequence_ = in->at("sequence").get<std::int64_t>();
    book_.restore(in->at("book"));
    silences_.restore(in->at("silences"));
    dispatch_.restore(in->at("dispatch"));
    inhibitions_ = inhibition_index{plan_.inhibitions};
    std::set<std::string> affected;
    for (const auto& [id, a] : book_.all())
      if (a.firing()) inhibitions_.add(id, a.facts.labels, affected);
    needs_routing_ = in->at("routing").get<bool>() || in->at("plan").get<std::uint64_t>() != plan_.mark;
    latest_us_ = 0;
    silence_edge_us_ = in->at("silence_edge").get<std::int64_t>();
  } catch (const json::exception&) {
    return fail(error_code::internal_server_error, "The snapshot of alerting is damaged.");
  }
  return {};
}

std::optional<utc_time> alerting_state::wake_at() const {
  if (needs_routing_) return from_micros(0);
  auto due = silence_edge_us_;
  if (const auto group = dispatch_.due_us(); group != 0 && (due == 0 || group < due)) due = group;
  return due != 0 ? std::optional(from_micros(due)) : std::nullopt;
}

json alerting_state::view() const {
  std::int64_t pending = 0, firing = 0, quiet = 0, acked = 0;
  for (const auto& [id, a] : book_.all()) {
    pending += a.facts.status == "pending";
    firing += a.firing();
    quiet += a.firing() && a.quiet();
    acked += a.firing() && a.acked;
  }
  return {{"pending", pending},
          {"firing", firing},
          {"quiet", quiet},
          {"acknowledged", acked},
          {"silences", silences_.size()},
          {"policies", plan_.policies.size()},
          {"dispatch", dispatch_.view()},
          {"changes", changes_},
          {"repeated", repeated_},
          {"refused", refused_}};
}

} // namespace tobit::alert
