#include "actors/rehearsal/file_test/happenings.hpp"

#include <algorithm>
#include <chrono>

namespace tobit::rehearsal {

namespace {

constexpr std::size_t lines_kept_max = 10'000, words_max = 300;

std::string clipped(std::string text) {
  if (text.size() <= words_max) return text;
  auto end = words_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text + "…";
}

bool holds(const std::string& text, const std::vector<std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](const auto& one) { return text.find(one) != std::string::npos; });
}

/// All texts of a document in one, as people would read them: without JSON's escapes.
void add_words(const json& from, std::string& out) {
  if (from.is_string())
    out += from.get_ref<const std::string&>() + '\n';
  else if (from.is_structured())
    for (const auto& member : from) add_words(member, out);
  else if (!from.is_null())
    out += to_text(from) + '\n';
}

std::string of_key(const std::string& key) { return key.empty() ? "" : " " + key; }

std::string times(std::size_t count) { return count == 1 ? "once" : std::to_string(count) + " times"; }

std::string listed_texts(const std::vector<std::string>& texts) {
  std::string out;
  for (const auto& one : texts) out += (out.empty() ? "'" : ", '") + one + "'";
  return out;
}

} // namespace

// -- what happened --------------------------------------------------------------------------------------------------

void happenings::note(utc_time at, std::string line) {
  if (lines_.size() < lines_kept_max) lines_.emplace_back(at, clipped(std::move(line)));
}

happenings::marks happenings::all() const {
  return {course_.firings.list.size(),    course_.alert_steps.list.size(), course_.notices.list.size(),
          course_.departures.list.size(), course_.records.list.size(),     course_.rows.list.size(),
          course_.refusals.list.size()};
}

void happenings::catch_up() {
  std::vector<std::pair<utc_time, std::string>> fresh;
  const auto add = [&](utc_time at, std::string line) { fresh.emplace_back(at, clipped(std::move(line))); };
  const auto each = [](const auto& list, std::size_t& from, auto take) {
    for (; from < list.list.size(); ++from) take(list.list[from]);
  };
  each(course_.firings, seen_.firings, [&](const fired& f) {
    add(f.at, "rule '" + name_of(f.rule_id) + (f.failed ? "' could not judge: " + f.error : "' fired"));
  });
  each(course_.alert_steps, seen_.alert_steps, [&](const alert_step& a) {
    add(a.at, "alert '" + a.rule_name + "'" + of_key(a.key) + " is " + a.status +
                  (a.summary.empty() ? "" : ": " + a.summary) + (a.reason.empty() ? "" : " (" + a.reason + ")"));
    if (a.status == "firing" || a.status == "pending")
      alerts_[a.alert_id] = a;
    else
      alerts_.erase(a.alert_id);
  });
  each(course_.notices, seen_.notices, [&](const notice& n) {
    add(n.at, "notice to channel '" + n.channel + "' (" + n.what.reason + "): " + std::to_string(n.what.alerts_total) +
                  " alert(s)" + (n.what.message.empty() ? "" : ", " + n.what.message));
  });
  each(course_.records, seen_.records, [&](const stored& s) { add(s.at, "stored: " + s.summary); });
  each(course_.departures, seen_.departures, [&](const departure& d) {
    add(d.at, d.type + " by " + d.by.kind + " '" + (d.by.kind == "rule" ? name_of(d.by.key) : d.by.key) +
                  "': " + to_text(d.body));
  });
  each(course_.rows, seen_.rows, [&](const record_row& r) {
    const auto what = r.table == "alert_history" ? r.columns.value("what", json()) : json();
    if (what == "held" || what == "silenced" || what == "inhibited" || what == "acknowledged")
      add(r.at, what.get<std::string>() + ": " + r.columns.value("reason", ""));
  });
  each(course_.refusals, seen_.refusals, [&](const course::refusal& r) {
    add(r.at, r.who.kind + " '" + r.who.key + "' refused " + r.message_name + ": " + std::string(r.why.text()));
  });
  std::stable_sort(fresh.begin(), fresh.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [at, line] : fresh) note(at, std::move(line));
}

void happenings::turn_page() { page_ = seen_; }

std::vector<std::string> happenings::timeline(std::size_t lines_max) const {
  std::vector<std::string> out;
  const auto from = lines_.size() > lines_max ? lines_.size() - lines_max : 0;
  std::size_t width = 0;
  for (auto i = from; i < lines_.size(); ++i) width = std::max(width, shown_offset(lines_[i].first - start_).size());
  for (auto i = from; i < lines_.size(); ++i) {
    auto at = shown_offset(lines_[i].first - start_);
    at.resize(width, ' ');
    out.push_back(at + "  " + lines_[i].second);
  }
  return out;
}

std::string happenings::name_of(const std::string& rule_id) const {
  const auto* one = scene_.find_rule(rule_id);
  return one ? one->name : rule_id;
}

bool happenings::is_rule(const std::string& rule_id, const std::string& wanted) const {
  return wanted.empty() || rule_id == wanted || name_of(rule_id) == wanted;
}

// -- rules and alerts -----------------------------------------------------------------------------------------------

bool happenings::fits(const alert_step& alert, const status_wish& wish) const {
  if (!is_rule(alert.rule_id, wish.rule)) return false;
  if (!wish.key.is_null() && to_text(wish.key) != alert.key) return false;
  for (const auto& [name, value] : wish.labels.items()) {
    const auto is = alert.labels.is_object() ? alert.labels.value(name, json()) : json();
    if (is != value && !(is.is_string() && is.get<std::string>() == to_text(value))) return false;
  }
  std::string words = alert.summary + '\n';
  add_words(alert.labels, words);
  return holds(words, wish.contains);
}

/// Firings of rules without alerts; for those with alerts the alerts count.
std::size_t happenings::count_firings(const status_wish& wish) const {
  std::size_t count = 0;
  for (auto i = page_.firings; i < seen_.firings; ++i) {
    const auto& one = course_.firings.list[i];
    const auto* rule = scene_.find_rule(one.rule_id);
    if (one.failed || (rule && rule->has_alerts) || !is_rule(one.rule_id, wish.rule)) continue;
    if (wish.key.is_null() && wish.labels.empty() && holds(one.references, wish.contains)) ++count;
  }
  return count;
}

std::vector<const alert_step*> happenings::standing(const status_wish& wish, std::string_view status) const {
  std::vector<const alert_step*> out;
  for (const auto& [id, one] : alerts_)
    if (one.status == status && fits(one, wish)) out.push_back(&one);
  return out;
}

std::vector<std::string> happenings::firing_alerts(const std::string& rule, const json& key) const {
  status_wish wish;
  wish.rule = rule;
  wish.key = key;
  std::vector<std::string> out;
  for (const auto* one : standing(wish, "firing")) out.push_back(one->alert_id);
  return out;
}

std::string happenings::compare(const status_wish& wish) const {
  std::size_t count = 0;
  switch (wish.is) {
  case status_wish::status::firing:
    count = count_firings(wish) + standing(wish, "firing").size();
    break;
  case status_wish::status::pending:
    count = standing(wish, "pending").size();
    break;
  case status_wish::status::resolved:
    for (auto i = page_.alert_steps; i < seen_.alert_steps; ++i) {
      const auto& one = course_.alert_steps.list[i];
      count += one.status == "resolved" && fits(one, wish);
    }
    break;
  case status_wish::status::nothing:
    count = count_firings(wish) + standing(wish, "firing").size() + standing(wish, "pending").size();
    return count == 0 ? std::string{} : found(wish);
  }
  const bool met = wish.times ? count == static_cast<std::size_t>(*wish.times) : count > 0;
  return met ? std::string{} : found(wish);
}

std::string happenings::found(const status_wish& wish) const {
  status_wish any;
  any.rule = wish.rule;
  std::string out;
  const auto add = [&](const std::string& text) { out += (out.empty() ? "" : "; ") + text; };
  for (const auto& rule : scene_.rules()) {
    if (!is_rule(rule.ref.key, wish.rule)) continue;
    any.rule = rule.ref.key;
    if (const auto fired = count_firings(any)) add("rule '" + rule.name + "' fired " + times(fired));
    for (const auto* status : {"firing", "pending"})
      for (const auto* alert : standing(any, status))
        if (out.size() < 1'000) add("alert '" + rule.name + "'" + of_key(alert->key) + " is " + status);
  }
  for (auto i = page_.alert_steps; i < seen_.alert_steps; ++i)
    if (const auto& one = course_.alert_steps.list[i];
        one.status == "resolved" && is_rule(one.rule_id, wish.rule) && out.size() < 1'000)
      add("alert '" + one.rule_name + "'" + of_key(one.key) + " resolved");
  if (out.empty() && !wish.rule.empty() && !scene_.find_rule(wish.rule)) return "there is no rule '" + wish.rule + "'";
  return out.empty() ? "nothing fired and no alert is pending or firing" : out;
}

std::string happenings::in_words(const status_wish& wish) {
  std::string out = wish.rule.empty() ? "" : "rule '" + wish.rule + "': ";
  switch (wish.is) {
  case status_wish::status::firing:
    out += "firing";
    break;
  case status_wish::status::pending:
    out += "pending";
    break;
  case status_wish::status::resolved:
    out += "resolved";
    break;
  case status_wish::status::nothing:
    out += "nothing";
    break;
  }
  if (!wish.key.is_null()) out += " for key " + to_text(wish.key);
  if (!wish.labels.empty()) out += " with labels " + to_text(wish.labels);
  if (!wish.contains.empty()) out += " with " + listed_texts(wish.contains);
  if (wish.times) out += ", " + times(static_cast<std::size_t>(*wish.times));
  return out;
}

// -- notices and actions --------------------------------------------------------------------------------------------

bool happenings::fits(const notice& one, const act_wish& wish) const {
  if (!wish.channel.empty() && one.channel != wish.channel) return false;
  if (!wish.reason.empty() && one.what.reason != wish.reason) return false;
  if (!wish.severity.empty() && one.what.severity != wish.severity) return false;
  if (wish.contains.empty()) return true;
  std::string words;
  add_words(json(one.what), words);
  // What the channel made of it, too: the words that people would read.
  for (auto i = page_.departures; i < seen_.departures; ++i)
    if (const auto& sent = course_.departures.list[i]; sent.by.key == one.channel && sent.by.kind == channel::kind_name)
      add_words(sent.body, words);
  return holds(words, wish.contains);
}

std::size_t happenings::count_acts(const act_wish& wish) const {
  std::size_t count = 0;
  if (wish.is != act_wish::kind::action) {
    for (auto i = page_.notices; i < seen_.notices; ++i) count += fits(course_.notices.list[i], wish);
    return count;
  }
  if (wish.type.empty() || wish.type == "store")
    for (auto i = page_.records; i < seen_.records; ++i) {
      const auto& one = course_.records.list[i];
      count += is_rule(one.rule_id, wish.rule) && holds(one.summary, wish.contains);
    }
  for (auto i = page_.departures; i < seen_.departures; ++i) {
    const auto& one = course_.departures.list[i];
    if (one.by.kind != "rule" || !is_rule(one.by.key, wish.rule) || (!wish.type.empty() && one.type != wish.type))
      continue;
    std::string words;
    add_words(one.body, words);
    count += holds(words, wish.contains);
  }
  return count;
}

std::string happenings::compare(const act_wish& wish) const {
  const auto count = count_acts(wish);
  const bool met = wish.is == act_wish::kind::no_notification ? count == 0
                   : wish.times                               ? count == static_cast<std::size_t>(*wish.times)
                                                              : count > 0;
  return met ? std::string{} : found(wish);
}

std::string happenings::found(const act_wish& wish) const {
  std::string out;
  const auto add = [&](const std::string& text) {
    if (out.size() < 1'000) out += (out.empty() ? "" : "; ") + text;
  };
  if (wish.is == act_wish::kind::action) {
    for (auto i = page_.records; i < seen_.records; ++i) add("stored: " + clipped(course_.records.list[i].summary));
    for (auto i = page_.departures; i < seen_.departures; ++i)
      if (course_.departures.list[i].by.kind == "rule")
        add(course_.departures.list[i].type + ": " + clipped(to_text(course_.departures.list[i].body)));
    return out.empty() ? "no action ran" : out;
  }
  for (auto i = page_.notices; i < seen_.notices; ++i) {
    const auto& one = course_.notices.list[i];
    add("a notice to channel '" + one.channel + "' (" + one.what.reason + ", " + one.what.severity + ")");
  }
  return out.empty() ? "nobody was notified" : out;
}

std::string happenings::in_words(const act_wish& wish) {
  std::string out = wish.is == act_wish::kind::action            ? "an action"
                    : wish.is == act_wish::kind::no_notification ? "no notification"
                                                                 : "a notification";
  if (!wish.type.empty()) out = "the action " + wish.type;
  if (!wish.rule.empty()) out += " of rule '" + wish.rule + "'";
  if (!wish.channel.empty()) out += " to channel '" + wish.channel + "'";
  if (!wish.reason.empty()) out += " because of " + wish.reason;
  if (!wish.severity.empty()) out += " of severity " + wish.severity;
  if (!wish.contains.empty()) out += " with " + listed_texts(wish.contains);
  if (wish.times) out += ", " + times(static_cast<std::size_t>(*wish.times));
  return out;
}

} // namespace tobit::rehearsal
