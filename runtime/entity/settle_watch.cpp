#include "runtime/entity/settle_watch.hpp"

#include <algorithm>

namespace tobit::entity {

namespace {
constexpr std::size_t watched_max = 10'000;
constexpr std::size_t watchers_max = 100; // of one correlation
} // namespace

bool settle_watch::add(const std::string& correlation, steady_time deadline, listener done) {
  if (waiting_.size() >= watched_max && !watched(correlation)) return false;
  auto& watchers = waiting_[correlation].watchers;
  if (watchers.size() >= watchers_max) return false;
  watchers.push_back({deadline, std::move(done)});
  return true;
}

std::vector<std::string> settle_watch::correlations() const {
  std::vector<std::string> all;
  for (const auto& entry : waiting_) all.push_back(entry.first);
  return all;
}

void settle_watch::note(const std::string& correlation, const std::string& effect_id, const effect_outcome& outcome) {
  if (auto entry = waiting_.find(correlation); entry != waiting_.end()) entry->second.outcomes[effect_id] = outcome;
}

void settle_watch::compare(const std::string& correlation, const storage::rows& effects) {
  auto entry = waiting_.find(correlation);
  if (entry == waiting_.end()) return;
  std::vector<effect_outcome> outcomes;
  for (const auto& row : effects.values) {
    const auto& status = storage::as_text(row[1]);
    if (status == "pending") return;
    if (auto known = entry->second.outcomes.find(storage::as_text(row[0])); known != entry->second.outcomes.end()) {
      outcomes.push_back(known->second);
      continue;
    }
    effect_outcome outcome;
    outcome.status = status == "done" ? effect_outcome::status::done : effect_outcome::status::failed;
    outcome.error = storage::as_text(row[2]);
    outcomes.push_back(std::move(outcome));
  }
  auto settled = std::move(entry->second);
  waiting_.erase(entry);
  for (auto& one : settled.watchers) one.done(outcomes);
}

void settle_watch::fail_all(const std::string& correlation, const error& why) {
  auto entry = waiting_.find(correlation);
  if (entry == waiting_.end()) return;
  auto failed = std::move(entry->second);
  waiting_.erase(entry);
  for (auto& one : failed.watchers) one.done(fail(why));
}

void settle_watch::expire(steady_time now) {
  std::vector<watcher> late;
  for (auto entry = waiting_.begin(); entry != waiting_.end();) {
    auto& watchers = entry->second.watchers;
    auto first_late = std::stable_partition(watchers.begin(), watchers.end(),
                                            [now](const watcher& one) { return one.deadline > now; });
    std::move(first_late, watchers.end(), std::back_inserter(late));
    watchers.erase(first_late, watchers.end());
    entry = watchers.empty() ? waiting_.erase(entry) : std::next(entry);
  }
  for (auto& one : late)
    one.done(
        fail(error_code::deadline_exceeded, "The effects are still being carried out; they go on in the background."));
}

} // namespace tobit::entity
