#include "actors/alert/alert_book.hpp"

#include "schemas/json_text.hpp"
#include "schemas/time.hpp"

namespace tobit::alert {

live_alert* alert_book::find(const std::string& alert_id) {
  const auto found = all_.find(alert_id);
  return found == all_.end() ? nullptr : &found->second;
}

const live_alert* alert_book::find(const std::string& alert_id) const {
  const auto found = all_.find(alert_id);
  return found == all_.end() ? nullptr : &found->second;
}

bool alert_book::knows(const alert_changed& change) const {
  if (const auto* live = find(change.alert_id)) return change.change <= live->facts.change;
  const auto over = ended_.find(change.alert_id);
  return over != ended_.end() && change.change <= over->second;
}

live_alert& alert_book::put(alert_changed facts) {
  auto& a = all_[facts.alert_id];
  a.facts = std::move(facts);
  return a;
}

void alert_book::end(std::string alert_id, std::int64_t change) {
  all_.erase(alert_id);
  if (!ended_.insert_or_assign(alert_id, change).second) return;
  ended_order_.push_back(std::move(alert_id));
  if (ended_order_.size() <= ended_max) return;
  ended_.erase(ended_order_.front());
  ended_order_.pop_front();
}

void alert_book::snapshot(std::string& out) const {
  object_text book{out};
  append_array(book.begin("ended"), ended_order_, [&](std::string& to, const std::string& id) {
    to += '[';
    append_quoted(to, id);
    to += ',';
    append_number(to, ended_.at(id));
    to += ']';
  });
  append_array(book.begin("live"), all_, [](std::string& to, const auto& entry) {
    const live_alert& a = entry.second;
    object_text one{to};
    if (a.acked) {
      object_text ack{one.begin("ack")};
      ack.number("at", a.acked_us).text("by", a.ack_by).text("comment", a.ack_comment).end();
    }
    alert::write_text(one.begin("facts"), a.facts);
    if (!a.groups.empty())
      append_array(one.begin("groups"), a.groups,
                   [](std::string& list, const std::string& key) { append_quoted(list, key); });
    if (!a.inhibited_by.empty()) one.text("inhibited", a.inhibited_by);
    if (!a.silenced_by.empty()) one.text("silenced", a.silenced_by);
    one.end();
  });
  book.end();
}

void alert_book::restore(const json& snapshot) {
  all_.clear();
  ended_.clear();
  ended_order_.clear();
  for (const auto& one : snapshot.at("live")) {
    auto& a = put(one.at("facts").get<alert_changed>());
    if (const auto ack = one.find("ack"); ack != one.end()) {
      a.acked = true;
      a.ack_by = ack->at("by").get<std::string>();
      a.ack_comment = ack->at("comment").get<std::string>();
      a.acked_us = ack->at("at").get<std::int64_t>();
    }
    a.silenced_by = one.value("silenced", "");
    a.inhibited_by = one.value("inhibited", "");
    a.groups = one.value("groups", std::set<std::string>{});
  }
  for (const auto& one : snapshot.at("ended")) {
    ended_[one.at(0).get<std::string>()] = one.at(1).get<std::int64_t>();
    ended_order_.push_back(one.at(0).get<std::string>());
  }
}

json shown(const live_alert& a) {
  const auto& f = a.facts;
  return {{"alert_id", f.alert_id},
          {"rule_id", f.rule_id},
          {"rule_name", f.rule_name},
          {"key", f.key},
          {"status", f.status},
          {"severity", f.severity},
          {"summary", f.summary},
          {"labels", f.labels},
          {"flapping", f.flapping},
          {"ack", a.acked},
          {"ack_at", a.acked ? json(to_rfc3339(from_micros(a.acked_us))) : json()},
          {"ack_by", a.acked ? json(a.ack_by) : json()},
          {"silenced_by", a.silenced_by.empty() ? json() : json(a.silenced_by)},
          {"inhibited_by", a.inhibited_by.empty() ? json() : json(a.inhibited_by)},
          {"started_at", to_rfc3339(from_micros(f.started_at_us))},
          {"updated_at", to_rfc3339(from_micros(f.at_us))}};
}

} // namespace tobit::alert
