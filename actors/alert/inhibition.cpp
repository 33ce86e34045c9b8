#include "actors/alert/inhibition.hpp"

namespace tobit::alert {

namespace {

std::string equal_values(const std::vector<std::string>& names, const json& labels) {
  json values = json::array();
  for (const auto& name : names) values.push_back(labels.is_object() ? labels.value(name, json("")) : json(""));
  return to_text(values);
}

} // namespace

inhibition_index::inhibition_index(const json& specs) {
  for (const auto& spec : specs)
    rules_.push_back({matcher_list{spec.at("source_matchers")},
                      matcher_list{spec.at("target_matchers")},
                      spec.at("equal").get<std::vector<std::string>>(),
                      {}});
}

void inhibition_index::add(const std::string& alert_id, const json& labels, std::set<std::string>& affected) {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    auto& rule = rules_[i];
    const bool source = rule.source.matches(labels), target = rule.target.matches(labels);
    if (!source && !target) continue;
    const auto key = equal_values(rule.equal, labels);
    auto& b = rule.buckets[key];
    (source && target ? b.both : source ? b.sources : b.targets).insert(alert_id);
    places_[alert_id].push_back({i, key});
    if (target) affected.insert(alert_id);
    if (source) affected.insert(b.targets.begin(), b.targets.end());
    if (source && !target) affected.insert(b.both.begin(), b.both.end());
  }
}

void inhibition_index::remove(const std::string& alert_id, std::set<std::string>& affected) {
  const auto found = places_.find(alert_id);
  if (found == places_.end()) return;
  for (const auto& at : found->second) {
    auto& buckets = rules_[at.rule].buckets;
    const auto entry = buckets.find(at.bucket);
    if (entry == buckets.end()) continue;
    auto& b = entry->second;
    const bool was_source = b.sources.erase(alert_id) > 0, was_both = b.both.erase(alert_id) > 0;
    b.targets.erase(alert_id);
    if (was_source || was_both) affected.insert(b.targets.begin(), b.targets.end());
    if (was_source) affected.insert(b.both.begin(), b.both.end());
    if (b.sources.empty() && b.both.empty() && b.targets.empty()) buckets.erase(entry);
  }
  places_.erase(found);
  affected.erase(alert_id);
}

std::string inhibition_index::inhibitor_of(const std::string& alert_id) const {
  const auto found = places_.find(alert_id);
  if (found == places_.end()) return {};
  for (const auto& at : found->second) {
    const auto entry = rules_[at.rule].buckets.find(at.bucket);
    if (entry == rules_[at.rule].buckets.end()) continue;
    const auto& b = entry->second;
    const bool both = b.both.contains(alert_id);
    if (!both && !b.targets.contains(alert_id)) continue;
    if (!b.sources.empty()) return *b.sources.begin();
    if (!both && !b.both.empty()) return *b.both.begin();
  }
  return {};
}

} // namespace tobit::alert
