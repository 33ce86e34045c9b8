#include "actors/rule/alert/alert_table.hpp"

#include "actors/rule/execution_log.hpp"
#include "schemas/json_text.hpp"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>
#include <tuple>

namespace tobit::rule {

namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t hour_us = 3'600'000'000;
constexpr std::int64_t second_us = 1'000'000;
/// A clock that is set back further than this is noticed; less is jitter.
constexpr std::int64_t step_us = 2 * second_us;
constexpr std::size_t values_bytes_max = 4 * 1024;
constexpr std::size_t alerts_shown = 50;

} // namespace

const alert_record* alert_table::find(const std::string& key) const {
  const auto found = records_.find(key);
  return found == records_.end() ? nullptr : &found->second.record;
}

// -- verdicts --------------------------------------------------------------------------------------------------------

void alert_table::take(const key_verdict& v, const subject* where, const alert_moment& at,
                       std::vector<alert_change>& out) {
  if (!v.verdict.error.empty() || retiring()) return;
  clock_stepped(to_micros(at.now));
  const auto found = records_.find(v.key);
  if (!v.verdict.matched) {
    if (found != records_.end()) not_matched(found->second, v, where, at, out);
    return;
  }
  auto* e = found != records_.end() ? &found->second : admit(v, at);
  if (e) matched(*e, v, at, out);
}

alert_table::entry* alert_table::admit(const key_verdict& v, const alert_moment& at) {
  if (records_.size() >= terms_.keys_max) {
    if (resolved_.empty()) {
      ++refused_;
      return nullptr;
    }
    ++evicted_;
    const auto oldest = resolved_.begin()->second;
    forget(oldest);
  }
  const auto now = to_micros(at.now);
  auto& e = records_[v.key];
  e.record.key = v.key;
  e.record.alert_id = new_alert_id(v.key, now);
  e.record.started_us = now;
  e.record.matched_us = now;
  e.record.labels = v.labels;
  e.due_us = never;
  touch(e);
  return &e;
}

void alert_table::matched(entry& e, const key_verdict& v, const alert_moment& at, std::vector<alert_change>& out) {
  auto& r = e.record;
  const auto now = to_micros(at.now);
  // How exactly the latest match is known is journaled, so it is only as exact as it has to be.
  const auto exact = std::max(second_us, terms_.resolve_after_us / 10);
  if (terms_.resolve_after_us > 0 && now - r.matched_us >= exact) {
    r.matched_us = now;
    touch(e);
  }
  if (r.status == alert_status::resolved) { // a new alert; the old one's cooldown and turns go on
    resolved_.erase({r.resolved_us, r.key});
    const auto hold = terms_.cooldown_us > 0 ? r.resolved_us + terms_.cooldown_us : 0;
    alert_record next;
    next.key = r.key;
    next.alert_id = new_alert_id(r.key, now);
    next.started_us = next.matched_us = now;
    next.hold_us = hold > now ? hold : 0;
    next.turns = std::move(r.turns);
    next.labels = v.labels;
    r = std::move(next);
    touch(e);
  }
  if (r.status == alert_status::firing && r.cleared_us != 0) {
    r.cleared_us = 0;
    turn(r, now);
    touch(e);
  }
  const bool fresh = r.status == alert_status::pending && r.change == 0;
  if (!settle(e, &v, at, out)) return;
  if (fresh && r.status == alert_status::pending)
    tell(e, "pending",
         r.hold_us > now ? (r.rated ? "held back by max_per_hour" : "held back by its cooldown")
                         : "matches; fires if it goes on",
         &v, at, out);
  schedule(e);
}

void alert_table::not_matched(entry& e, const key_verdict& v, const subject* where, const alert_moment& at,
                              std::vector<alert_change>& out) {
  auto& r = e.record;
  const auto now = to_micros(at.now);
  if (r.status == alert_status::resolved) return;
  if (r.status == alert_status::pending) {
    if (r.change > 0) tell(e, "inactive", "does not match any more", &v, at, out);
    return forget(std::string(r.key));
  }
  if (terms_.clear && !terms_.clear->cleared(v.verdict, where)) {
    if (terms_.resolve_after_us > 0 && now - r.matched_us >= std::max(second_us, terms_.resolve_after_us / 10)) {
      r.matched_us = now; // between the thresholds it is neither over nor silent
      touch(e);
      schedule(e);
    }
    return;
  }
  if (r.cleared_us == 0) {
    r.cleared_us = now;
    turn(r, now);
    touch(e);
  }
  if (settle(e, &v, at, out)) schedule(e);
}

// -- time ------------------------------------------------------------------------------------------------------------

void alert_table::advance(const alert_moment& at, std::vector<alert_change>& out) {
  clock_stepped(to_micros(at.now));
  if (retiring()) {
    const auto reason = retiring_;
    resolve_all(reason, at, out);
    retiring_.clear();
    return;
  }
  const auto now = to_micros(at.now);
  while (!due_.empty() && due_.begin()->first <= now) {
    auto& e = records_.at(due_.begin()->second);
    if (settle(e, nullptr, at, out)) schedule(e);
  }
}

/// Brings one key to where it belongs now. False: it is forgotten.
bool alert_table::settle(entry& e, const key_verdict* by, const alert_moment& at, std::vector<alert_change>& out) {
  switch (e.record.status) {
  case alert_status::pending:
    return settle_pending(e, by, at, out);
  case alert_status::firing:
    return settle_firing(e, by, at, out);
  case alert_status::resolved:
    break;
  }
  if (due_of(e.record) > to_micros(at.now)) return true;
  forget(std::string(e.record.key));
  return false;
}

bool alert_table::settle_pending(entry& e, const key_verdict* by, const alert_moment& at,
                                 std::vector<alert_change>& out) {
  auto& r = e.record;
  const auto now = to_micros(at.now);
  const auto fires = std::max(r.started_us + terms_.pending_for_us, r.hold_us);
  const auto silent = terms_.resolve_after_us > 0 ? r.matched_us + terms_.resolve_after_us : never;
  if (silent <= now && silent < fires) {
    if (r.change > 0) tell(e, "inactive", "nothing matched any more", by, at, out);
    forget(std::string(r.key));
    return false;
  }
  if (fires > now || held_by_rate(r, now)) {
    if (r.rated) touch(e);
    return true;
  }
  if (r.rated) --rated_;
  r.rated = false;
  r.hold_us = 0;
  r.status = alert_status::firing;
  r.fired_us = now;
  if (terms_.firings_per_hour > 0) {
    firings_.push_back(now);
    firings_moved_ = true;
  }
  turn(r, now);
  r.flapping = too_many_turns(r, now);
  tell(e, "firing", r.flapping ? "fires; it is flapping" : "fires", by, at, out);
  return true;
}

bool alert_table::settle_firing(entry& e, const key_verdict* by, const alert_moment& at,
                                std::vector<alert_change>& out) {
  auto& r = e.record;
  const auto now = to_micros(at.now);
  const bool flaps = too_many_turns(r, now);
  if (flaps && !r.flapping) {
    r.flapping = true;
    tell(e, "firing", "changes too often: flapping, it is held until it calms", by, at, out, false);
    return true;
  }
  if (r.flapping && !flaps) {
    r.flapping = false;
    if (r.cleared_us == 0) tell(e, "firing", "calmed down and still matches", by, at, out, false);
  }
  if (r.flapping) return true;
  if (r.cleared_us != 0) {
    if (now >= r.cleared_us + terms_.keep_firing_us) resolve(e, "does not match any more", by, at, out);
  } else if (terms_.resolve_after_us > 0 && now >= r.matched_us + terms_.resolve_after_us) {
    turn(r, now);
    resolve(e, "nothing matched for " + std::to_string(terms_.resolve_after_us / second_us) + " s", by, at, out);
  }
  if (r.status == alert_status::resolved && due_of(r) <= now) {
    forget(std::string(r.key));
    return false;
  }
  return true;
}

/// Whoever is beyond the rate waits for the place that becomes free for it; later ones for later places.
bool alert_table::held_by_rate(alert_record& r, std::int64_t now) {
  if (terms_.firings_per_hour <= 0) return false;
  while (!firings_.empty() && firings_.front() <= now - hour_us) {
    firings_.pop_front();
    firings_moved_ = true;
  }
  const auto limit = static_cast<std::size_t>(terms_.firings_per_hour);
  if (firings_.size() < limit) return false;
  if (!r.rated) {
    r.rated = true;
    ++rated_;
    ++held_back_;
  }
  const auto ahead = rated_ - 1;
  r.hold_us = std::max(now + second_us, firings_[ahead % firings_.size()] + hour_us) +
              static_cast<std::int64_t>(ahead / firings_.size()) * hour_us;
  return true;
}

void alert_table::turn(alert_record& r, std::int64_t now) const {
  if (terms_.flapping_changes == 0) return;
  r.turns.push_back(now);
  const auto recent =
      std::find_if(r.turns.begin(), r.turns.end(), [&](std::int64_t t) { return t > now - terms_.flapping_window_us; });
  const auto surplus =
      r.turns.end() - std::min<std::ptrdiff_t>(terms_.flapping_changes, static_cast<std::ptrdiff_t>(r.turns.size()));
  r.turns.erase(r.turns.begin(), std::max(recent, surplus));
}

bool alert_table::too_many_turns(const alert_record& r, std::int64_t now) const {
  return terms_.flapping_changes > 0 && static_cast<std::int64_t>(r.turns.size()) >= terms_.flapping_changes &&
         r.turns.front() > now - terms_.flapping_window_us;
}

void alert_table::resolve(entry& e, std::string reason, const key_verdict* by, const alert_moment& at,
                          std::vector<alert_change>& out) {
  auto& r = e.record;
  r.status = alert_status::resolved;
  r.resolved_us = to_micros(at.now);
  r.cleared_us = 0;
  r.flapping = false;
  resolved_.emplace(r.resolved_us, r.key);
  tell(e, "resolved", std::move(reason), by, at, out);
}

void alert_table::retire(std::string reason) {
  if (!records_.empty()) retiring_ = std::move(reason);
}

void alert_table::resolve_all(const std::string& reason, const alert_moment& at, std::vector<alert_change>& out) {
  std::vector<std::string> keys;
  keys.reserve(records_.size());
  for (const auto& [key, e] : records_) keys.push_back(key);
  std::sort(keys.begin(), keys.end()); // the order of a hash table is no promise
  for (const auto& key : keys) {
    auto& e = records_.at(key);
    if (e.record.status == alert_status::firing)
      resolve(e, reason, nullptr, at, out);
    else if (e.record.status == alert_status::pending && e.record.change > 0)
      tell(e, "inactive", reason, nullptr, at, out);
    forget(key);
  }
}

void alert_table::tell(entry& e, std::string_view status, std::string reason, const key_verdict* by,
                       const alert_moment& at, std::vector<alert_change>& out, bool transition) {
  auto& r = e.record;
  ++r.change;
  r.exec_id = at.exec_id;
  r.trace_id = at.trace_id;
  if (by && by->verdict.matched) {
    r.values = bounded(by->verdict.references, values_bytes_max);
    if (by->verdict.value && r.values.is_object()) r.values["value"] = by->verdict.value->to_json();
    if (at.where && r.values.is_object())
      for (const auto& path : terms_.keep)
        if (const auto found = path.in(*at.where); found.is != operand::type::missing)
          r.values["fields"][path.text()] = found.show();
    r.summary = clip_text(by->verdict.summary);
  }
  touch(e);
  out.push_back({r, status, std::move(reason), transition, by});
}

// -- order of dues ---------------------------------------------------------------------------------------------------

std::int64_t alert_table::due_of(const alert_record& r) const {
  switch (r.status) {
  case alert_status::pending: {
    const auto fires = std::max(r.started_us + terms_.pending_for_us, r.hold_us);
    return terms_.resolve_after_us > 0 ? std::min(fires, r.matched_us + terms_.resolve_after_us) : fires;
  }
  case alert_status::firing: {
    if (r.flapping) return r.turns.empty() ? 0 : r.turns.front() + terms_.flapping_window_us;
    if (r.cleared_us != 0) return r.cleared_us + terms_.keep_firing_us;
    return terms_.resolve_after_us > 0 ? r.matched_us + terms_.resolve_after_us : never;
  }
  case alert_status::resolved:
    break;
  }
  const auto last_turn = r.turns.empty() ? 0 : r.turns.back();
  return std::max(r.resolved_us + terms_.cooldown_us, last_turn + terms_.flapping_window_us);
}

void alert_table::schedule(entry& e) {
  const auto due = due_of(e.record);
  if (due == e.due_us) return;
  if (e.due_us != never) due_.erase({e.due_us, e.record.key});
  e.due_us = due;
  if (due != never) due_.emplace(due, e.record.key);
}

void alert_table::touch(entry& e) {
  if (e.moved) return;
  e.moved = true;
  moved_.push_back(e.record.key);
}

void alert_table::forget(const std::string& key) {
  const auto found = records_.find(key);
  if (found == records_.end()) return;
  auto& e = found->second;
  if (e.due_us != never) due_.erase({e.due_us, key});
  if (e.record.status == alert_status::resolved) resolved_.erase({e.record.resolved_us, key});
  if (e.record.rated) --rated_;
  if (!e.moved) moved_.push_back(key);
  records_.erase(found);
}

std::optional<utc_time> alert_table::wake_at() const {
  if (retiring()) return from_micros(0);
  if (due_.empty()) return std::nullopt;
  return from_micros(due_.begin()->first);
}

/// Somebody set the clock back: what was to happen in five minutes still happens in five minutes.
void alert_table::clock_stepped(std::int64_t now) {
  if (now + step_us >= latest_us_) {
    latest_us_ = std::max(latest_us_, now);
    return;
  }
  const auto by = latest_us_ - now;
  latest_us_ = now;
  due_.clear();
  resolved_.clear();
  for (auto& [key, e] : records_) {
    auto& r = e.record;
    for (auto* time : {&r.started_us, &r.fired_us, &r.resolved_us, &r.matched_us, &r.cleared_us, &r.hold_us})
      if (*time != 0) *time -= by;
    for (auto& time : r.turns) time -= by;
    e.due_us = never;
    if (r.status == alert_status::resolved) resolved_.emplace(r.resolved_us, key);
    schedule(e);
    touch(e);
  }
  for (auto& time : firings_) time -= by;
  firings_moved_ = true;
}

std::string alert_table::new_alert_id(const std::string& key, std::int64_t now) const {
  const auto text = rule_id_ + '\n' + key + '\n' + std::to_string(now) + '\n' + std::to_string(sequence_);
  const auto h = XXH3_128bits(text.data(), text.size());
  // RFC 9562 version 8: the time in front, so that ids sort by it, then the hash.
  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, now)) / 1'000;
  std::array<char, 40> out{};
  std::snprintf(out.data(), out.size(), "%08llx-%04llx-8%03llx-%04llx-%012llx",
                static_cast<unsigned long long>((ms >> 16) & 0xffffffff), static_cast<unsigned long long>(ms & 0xffff),
                static_cast<unsigned long long>(h.high64 & 0xfff),
                static_cast<unsigned long long>(0x8000 | ((h.high64 >> 12) & 0x3fff)),
                static_cast<unsigned long long>(h.low64 & 0xffffffffffff));
  return out.data();
}

// -- keeping ---------------------------------------------------------------------------------------------------------

std::string alert_table::drain_moves() {
  if (moved_.empty()) return {};
  std::vector<const std::string*> gone;
  std::vector<const alert_record*> records;
  for (const auto& key : moved_) {
    const auto found = records_.find(key);
    if (found == records_.end()) {
      gone.push_back(&key);
    } else if (found->second.moved) { // a key that came, went and came again stands here twice
      found->second.moved = false;
      records.push_back(&found->second.record);
    }
  }
  std::string out;
  object_text object{out};
  if (firings_moved_) append_array(object.begin("firings"), firings_, append_number);
  if (!gone.empty())
    append_array(object.begin("gone"), gone, [](std::string& to, const std::string* key) { append_quoted(to, *key); });
  if (!records.empty())
    append_array(object.begin("records"), records, [](std::string& to, const alert_record* r) { write_text(to, *r); });
  object.number("seq", ++sequence_).end();
  moved_.clear();
  firings_moved_ = false;
  return out;
}

void alert_table::apply(const json& moves) {
  const auto sequence = moves.at("seq").get<std::int64_t>();
  if (sequence <= sequence_) return;
  sequence_ = sequence;
  if (const auto gone = moves.find("gone"); gone != moves.end())
    for (const auto& key : *gone) forget(key.get<std::string>());
  if (const auto records = moves.find("records"); records != moves.end())
    for (const auto& r : *records) put(r.get<alert_record>());
  if (const auto firings = moves.find("firings"); firings != moves.end())
    firings_ = firings->get<std::deque<std::int64_t>>();
  retiring_.clear(); // it ends with the moves it brought about
  for (const auto& key : moved_)
    if (const auto found = records_.find(key); found != records_.end()) found->second.moved = false;
  moved_.clear();
}

void alert_table::put(alert_record record) {
  const auto key = record.key;
  forget(key);
  auto& e = records_[key];
  e.record = std::move(record);
  e.due_us = never;
  if (e.record.status == alert_status::resolved) resolved_.emplace(e.record.resolved_us, key);
  if (e.record.rated) ++rated_;
  const auto& r = e.record;
  latest_us_ = std::max({latest_us_, r.started_us, r.fired_us, r.resolved_us, r.matched_us, r.cleared_us});
  schedule(e);
}

std::string alert_table::snapshot() const {
  if (records_.empty() && sequence_ == 0) return {};
  std::vector<const alert_record*> ordered;
  ordered.reserve(records_.size());
  for (const auto& [key, e] : records_) ordered.push_back(&e.record);
  std::sort(ordered.begin(), ordered.end(), [](auto* a, auto* b) { return a->key < b->key; });
  std::string out;
  object_text object{out};
  if (!firings_.empty()) append_array(object.begin("firings"), firings_, append_number);
  object.value("mark", mark_);
  append_array(object.begin("records"), ordered, [](std::string& to, const alert_record* r) { write_text(to, *r); });
  if (retiring()) object.text("retiring", retiring_);
  object.number("seq", sequence_).end();
  return out;
}

void alert_table::restore(const json& snapshot) {
  records_.clear();
  due_.clear();
  resolved_.clear();
  firings_.clear();
  moved_.clear();
  retiring_.clear();
  firings_moved_ = false;
  rated_ = 0;
  sequence_ = latest_us_ = 0;
  if (snapshot.is_null()) return;
  sequence_ = snapshot.at("seq").get<std::int64_t>();
  for (const auto& r : snapshot.at("records")) put(r.get<alert_record>());
  moved_.clear();
  firings_ = snapshot.value("firings", std::deque<std::int64_t>{});
  if (const auto reason = snapshot.value("retiring", std::string{}); !reason.empty())
    retire(reason);
  else if (snapshot.value("mark", mark_) != mark_)
    retire("the rule's trigger was changed");
}

json alert_table::view() const {
  std::int64_t counts[3] = {0, 0, 0};
  std::int64_t flapping = 0;
  std::vector<const alert_record*> shown;
  for (const auto& [key, e] : records_) {
    ++counts[static_cast<std::size_t>(e.record.status)];
    flapping += e.record.flapping;
    if (e.record.status != alert_status::resolved) shown.push_back(&e.record);
  }
  const auto first = std::min(shown.size(), alerts_shown);
  std::partial_sort(shown.begin(), shown.begin() + static_cast<std::ptrdiff_t>(first), shown.end(),
                    [](auto* a, auto* b) { return std::tie(a->started_us, a->key) < std::tie(b->started_us, b->key); });
  json alerts = json::array();
  for (std::size_t i = 0; i < first; ++i)
    alerts.push_back({{"key", shown[i]->key},
                      {"alert_id", shown[i]->alert_id},
                      {"status", to_string(shown[i]->status)},
                      {"since", to_rfc3339(from_micros(shown[i]->started_us))},
                      {"flapping", shown[i]->flapping},
                      {"summary", shown[i]->summary}});
  return {{"pending", counts[0]},        {"firing", counts[1]},
          {"cooling", counts[2]},        {"flapping", flapping},
          {"keys_max", terms_.keys_max}, {"evicted", evicted_},
          {"refused", refused_},         {"held_back", held_back_},
          {"alerts", std::move(alerts)}, {"retiring", retiring_.empty() ? json() : json(retiring_)}};
}

} // namespace tobit::rule
