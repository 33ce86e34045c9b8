#include "actors/alert/dispatcher.hpp"

#include "actors/alert/alert_rows.hpp"
#include "actors/alert/notice.hpp"
#include "schemas/json_text.hpp"

#include <algorithm>

namespace tobit::alert {

// -- groups ----------------------------------------------------------------------------------------------------------

const notification_policy* dispatcher::policy_of(const alert_group& g) const {
  if (g.policy.empty()) return &rule_policy_;
  const auto found = plan_.policies.find(g.policy);
  return found == plan_.policies.end() || !found->second.active ? nullptr : &found->second;
}

void dispatcher::route(live_alert& a, alerting_turn& t) {
  for (const auto& [id, p] : plan_.policies)
    if (p.wants(a.facts)) {
      auto labels = p.group_of(a.facts);
      join(p, id + '\n' + labels, labels, a, t);
    }
  if (a.facts.channels.empty()) return;
  auto labels = rule_policy_.group_of(a.facts);
  join(rule_policy_, '\n' + labels, labels, a, t);
}

void dispatcher::join(const notification_policy& p, std::string key, std::string labels, live_alert& a,
                      alerting_turn& t) {
  auto found = groups_.find(key);
  if (found == groups_.end()) {
    if (groups_.size() >= groups_max) {
      ++refused_;
      t.out.statements.push_back(history_row(t, a.facts.alert_id, {"held", "too many groups of alerts", {}, p.id, {}}));
      return;
    }
    alert_group fresh;
    fresh.key = key;
    fresh.policy = p.id;
    fresh.labels = std::move(labels);
    fresh.channels = p.id.empty() ? a.facts.channels : std::vector<std::string>{};
    fresh.thread = (p.id.empty() ? std::string("rule") : p.id) + '/' + a.facts.alert_id;
    found = groups_.emplace(key, std::move(fresh)).first;
  }
  auto& g = found->second;
  if (!g.members.emplace(a.facts.alert_id, false).second) return;
  a.groups.insert(key);
  stir(g, p, t.now_us());
}

void dispatcher::stir(alert_group& g, const notification_policy& p, std::int64_t now_us) {
  auto at = now_us + p.group_wait_us;
  if (g.flushed_us != 0) at = std::max(at, g.flushed_us + p.group_interval_us);
  if (g.flush_us != 0 && g.flush_us <= at) return;
  const auto before = g.due_us();
  g.flush_us = at;
  schedule(g, before);
}

void dispatcher::stir(const live_alert& a, alerting_turn& t) {
  for (const auto& key : a.groups)
    if (const auto found = groups_.find(key); found != groups_.end())
      if (const auto* p = policy_of(found->second)) stir(found->second, *p, t.now_us());
}

void dispatcher::schedule(alert_group& g, std::int64_t before) {
  const auto due = g.due_us();
  if (due == before) return;
  if (before != 0) due_.erase({before, g.key});
  if (due != 0) due_.emplace(due, g.key);
}

void dispatcher::drop(const std::string& key) {
  const auto found = groups_.find(key);
  if (found == groups_.end()) return;
  if (const auto due = found->second.due_us(); due != 0) due_.erase({due, key});
  for (const auto& [id, told] : found->second.members) {
    auto* a = book_.find(id);
    if (!a) continue;
    a->groups.erase(key);
    if (a->groups.empty() && a->facts.status == "resolved") book_.end(id, a->facts.change);
  }
  groups_.erase(found);
}

void dispatcher::drop_strangers(alerting_turn& t) {
  std::vector<std::string> gone;
  for (const auto& [key, g] : groups_)
    if (!policy_of(g)) gone.push_back(key);
  for (const auto& key : gone) drop(key);
  t.changed = t.changed || !gone.empty();
}

// -- what is due -----------------------------------------------------------------------------------------------------

void dispatcher::run(alerting_turn& t) {
  const auto now_us = t.now_us();
  while (!due_.empty() && due_.begin()->first <= now_us) {
    t.changed = true;
    const auto key = due_.begin()->second;
    auto& g = groups_.at(key);
    const auto before = g.due_us();
    const auto* p = policy_of(g);
    if (!p) {
      drop(key);
      continue;
    }
    if ((g.flush_us != 0 && g.flush_us <= now_us) || (g.repeat_us != 0 && g.repeat_us <= now_us)) flush(g, *p, t);
    if (g.escalate_us != 0 && g.escalate_us <= now_us) escalate(g, *p, t);
    schedule(g, before);
    if (g.members.empty()) drop(key);
  }
}

dispatcher::roll dispatcher::call(alert_group& g, const notification_policy& p) {
  roll r;
  for (auto member = g.members.begin(); member != g.members.end();) {
    auto* a = book_.find(member->first);
    const bool told = member->second;
    if (a && a->firing()) {
      if (!a->quiet()) {
        r.firing.push_back(a);
        if (!told) r.fresh.push_back(a);
        r.unacked = r.unacked || !a->acked;
        r.repeatable = r.repeatable || (!a->acked && !a->facts.flapping);
      }
      ++member;
      continue;
    }
    if (a && told && p.send_resolved && !a->quiet()) {
      r.resolved.push_back(a);
      ++member;
      continue;
    }
    const auto id = member->first;
    member = g.members.erase(member);
    if (!a) continue;
    a->groups.erase(g.key);
    if (a->groups.empty()) book_.end(id, a->facts.change);
  }
  return r;
}

bool dispatcher::held(alert_group& g, const notification_policy& p, const roll& r, alerting_turn& t) {
  const auto until = p.mutes.muted_until(t.now);
  auto hold = until ? policy_limits::hold{"mute time", to_micros(*until)} : limits_.held(p, g.key, t.now_us());
  if (hold.reason.empty()) return false;
  if (g.held != hold.reason) {
    g.held = hold.reason;
    write_held(p, g, g.held, r.fresh.empty() ? r.firing : r.fresh, t);
  }
  g.flush_us = std::max(hold.until_us, t.now_us() + 1);
  if (g.repeat_us != 0) g.repeat_us = std::max(g.repeat_us, g.flush_us);
  return true;
}

void dispatcher::flush(alert_group& g, const notification_policy& p, alerting_turn& t) {
  const auto now_us = t.now_us();
  const auto r = call(g, p);
  const bool repeat = g.repeat_us != 0 && g.repeat_us <= now_us && r.repeatable;
  if (g.repeat_us != 0 && g.repeat_us <= now_us) g.repeat_us = 0;
  g.flush_us = 0;
  g.flushed_us = now_us;
  if (!r.unacked) calm(g);
  bool tells = !r.fresh.empty() || repeat;
  if (tells && held(g, p, r, t)) {
    if (repeat) g.repeat_us = g.flush_us;
    tells = false;
  }
  if (tells || !r.resolved.empty()) tell(g, p, r, tells, t);
  if (tells) {
    g.held.clear();
    limits_.note(p, g.key, now_us);
    for (const auto* a : r.firing) g.members.at(a->facts.alert_id) = true;
    g.repeat_us = 0;
  }
  follow_up(g, p, r, now_us);
}

void dispatcher::tell(alert_group& g, const notification_policy& p, const roll& r, bool firing, alerting_turn& t) {
  std::vector<std::string> nobody;
  notice n{p, g, !firing ? "resolved" : r.fresh.empty() ? "repeat" : "firing", {}, {}, !p.webhook_url.empty(), {}};
  n.channels = g.policy.empty() ? g.channels : plan_.channels_of(p.to, t.now, nobody);
  if (!nobody.empty()) n.remark = "nobody is on call in " + nobody.front();
  for (const auto* a : r.firing)
    if (firing || g.members.at(a->facts.alert_id)) n.alerts.push_back(a);
  n.alerts.insert(n.alerts.end(), r.resolved.begin(), r.resolved.end());
  const bool somebody = !n.channels.empty() || n.by_webhook || !nobody.empty() || p.escalation_id.empty();
  if (somebody) write_notice(n, t); // a policy that only escalates says nothing itself
  for (const auto* a : r.resolved) {
    const auto id = a->facts.alert_id;
    g.members.erase(id);
    auto* over = book_.find(id);
    over->groups.erase(g.key);
    if (over->groups.empty()) book_.end(id, over->facts.change);
  }
}

/// As long as somebody was told and nobody takes care: repeats, and the steps of the escalation.
void dispatcher::follow_up(alert_group& g, const notification_policy& p, const roll& r, std::int64_t now_us) {
  const bool told = std::any_of(r.firing.begin(), r.firing.end(),
                                [&](const live_alert* a) { return g.members.at(a->facts.alert_id); });
  if (!told) return;
  if (p.repeat_us > 0 && r.repeatable && g.repeat_us == 0) g.repeat_us = now_us + p.repeat_us;
  if (p.escalation_id.empty() || g.escalated || !r.unacked) return;
  g.escalated = true;
  g.step = 0;
  g.round = 0;
  g.round_start_us = now_us;
  g.escalate_us = now_us + plan_.escalations.at(p.escalation_id).steps.front().after_us;
}

// -- escalation ------------------------------------------------------------------------------------------------------

void dispatcher::escalate(alert_group& g, const notification_policy& p, alerting_turn& t) {
  g.escalate_us = 0;
  const auto chain = plan_.escalations.find(p.escalation_id);
  const auto r = call(g, p);
  std::vector<const live_alert*> waiting;
  for (const auto* a : r.firing)
    if (!a->acked && g.members.at(a->facts.alert_id)) waiting.push_back(a);
  if (waiting.empty() || chain == plan_.escalations.end() || g.step >= chain->second.steps.size()) return calm(g);
  if (const auto until = p.mutes.muted_until(t.now)) {
    g.escalate_us = to_micros(*until);
    return;
  }
  std::vector<std::string> nobody;
  notice n{p, g, "escalation", std::move(waiting), {}, false, {}};
  n.channels = plan_.channels_of(chain->second.steps[g.step].to, t.now, nobody);
  n.remark = "step " + std::to_string(g.step + 1) + " of " + std::to_string(chain->second.steps.size());
  if (!nobody.empty()) n.remark += "; nobody is on call in " + nobody.front();
  write_notice(n, t);
  next_step(g, chain->second, t.now_us());
}

void dispatcher::next_step(alert_group& g, const escalation& e, std::int64_t now_us) {
  if (++g.step < e.steps.size()) {
    g.escalate_us = std::max(now_us, g.round_start_us + e.steps[g.step].after_us);
    return;
  }
  if (++g.round >= e.rounds) return; // `escalated` stays: it does not begin again for the same trouble
  g.step = 0;
  g.round_start_us = now_us + e.round_us;
  g.escalate_us = g.round_start_us + e.steps.front().after_us;
}

void dispatcher::calm(alert_group& g) {
  g.repeat_us = 0;
  g.escalate_us = 0;
  g.escalated = false;
}

void dispatcher::acknowledged(const live_alert& a, alerting_turn& t) {
  (void)t;
  const auto keys = a.groups;
  for (const auto& key : keys) {
    const auto found = groups_.find(key);
    if (found == groups_.end()) continue;
    auto& g = found->second;
    const bool others = std::any_of(g.members.begin(), g.members.end(), [&](const auto& member) {
      const auto* other = book_.find(member.first);
      return other && other->firing() && !other->acked && !other->quiet();
    });
    if (others) continue;
    const auto before = g.due_us();
    calm(g);
    schedule(g, before);
  }
}

// -- keeping ---------------------------------------------------------------------------------------------------------

void dispatcher::shift(std::int64_t by_us) {
  due_.clear();
  for (auto& [key, g] : groups_) {
    g.shift(by_us);
    schedule(g, 0);
  }
  limits_.shift(by_us);
}

void dispatcher::snapshot(std::string& out) const {
  object_text object{out};
  append_array(object.begin("groups"), groups_,
               [](std::string& to, const auto& entry) { write_text(to, entry.second); });
  object.value("limits", limits_.snapshot()).end();
}

void dispatcher::restore(const json& snapshot) {
  groups_.clear();
  due_.clear();
  for (const auto& one : snapshot.at("groups")) {
    auto g = one.get<alert_group>();
    const auto key = g.key;
    schedule(groups_[key] = std::move(g), 0);
  }
  limits_.restore(snapshot.at("limits"));
}

json dispatcher::view() const {
  std::int64_t escalating = 0, held = 0;
  for (const auto& [key, g] : groups_) {
    escalating += g.escalate_us != 0;
    held += !g.held.empty();
  }
  return {{"groups", groups_.size()}, {"escalating", escalating}, {"held", held}, {"refused", refused_}};
}

} // namespace tobit::alert
