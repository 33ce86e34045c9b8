#include "actors/poll/poll_state.hpp"

#include <algorithm>

namespace tobit::poll {

namespace {

using std::chrono::microseconds;

/// Versions of removed subscribers that are remembered against calls that come late.
constexpr std::size_t removed_max = 10'000;

std::string key_of(const entity::poll_interest& what) {
  auto request = json(what);
  request.erase("poll_interval_seconds");
  return to_text(request);
}

/// "http https://host/path", without query, fragment and user information, which may hold secrets.
std::string shown(const entity::poll_interest& what) {
  if (what.source == "host") return "the host's figures";
  auto endpoint = what.endpoint.substr(0, what.endpoint.find_first_of("?#"));
  const auto scheme = endpoint.find("://");
  const auto authority = scheme == std::string::npos ? 0 : scheme + 3;
  const auto path = std::min(endpoint.find('/', authority), endpoint.size());
  if (const auto at = endpoint.rfind('@', path); at != std::string::npos && at >= authority)
    endpoint.erase(authority, at + 1 - authority);
  return what.method + ' ' + endpoint.substr(0, 200);
}

} // namespace

std::uint32_t poll_state::join(const entity::poll_interest& what) {
  auto key = key_of(what);
  if (const auto known = by_key_.find(key); known != by_key_.end()) {
    ++groups_[known->second].members;
    return known->second;
  }
  std::uint32_t number = 0;
  if (free_groups_.empty()) {
    number = static_cast<std::uint32_t>(groups_.size());
    groups_.emplace_back();
  } else {
    number = free_groups_.back();
    free_groups_.pop_back();
    groups_[number] = group{};
  }
  auto& g = groups_[number];
  g.hash = stable_hash(entity_ref{"poll", tenant_id{}, key});
  g.what = std::make_shared<const entity::poll_interest>(what);
  g.members = 1;
  g.key = key;
  by_key_.emplace(std::move(key), number);
  return number;
}

void poll_state::leave(std::uint32_t number) {
  --groups_[number].members;
  drop_if_unused(number);
}

void poll_state::drop_if_unused(std::uint32_t number) {
  const auto& g = groups_[number];
  if (g.members > 0 || g.queued || g.in_flight) return;
  by_key_.erase(g.key);
  free_groups_.push_back(number);
}

bool poll_state::define(const entity_ref& ref, std::int64_t version, const entity::poll_interest& what) {
  if (const auto gone = removed_.find(stable_hash(ref)); gone != removed_.end() && gone->second >= version)
    return false;
  std::uint32_t number = 0;
  if (const auto known = by_ref_.find(ref); known != by_ref_.end()) {
    number = known->second;
    if (version <= subscribers_[number].version) return false;
    leave(subscribers_[number].group);
  } else if (free_subscribers_.empty()) {
    number = static_cast<std::uint32_t>(subscribers_.size());
    subscribers_.emplace_back();
    by_ref_.emplace(ref, number);
  } else {
    number = free_subscribers_.back();
    free_subscribers_.pop_back();
    by_ref_.emplace(ref, number);
  }
  auto& s = subscribers_[number];
  const auto revision = s.revision + 1; // whatever refers to the former state is stale
  s = subscriber{};
  s.ref = ref;
  s.version = version;
  s.revision = revision;
  s.group = join(what);
  s.interval = std::chrono::seconds{std::max<std::int64_t>(1, what.poll_interval_seconds)};
  s.live = true;
  const auto spread = static_cast<std::uint64_t>(std::min(s.interval, limits_.first_within).count());
  due_.push({now_ + microseconds{static_cast<std::int64_t>(groups_[s.group].hash % spread)}, number, s.revision});
  return true;
}

bool poll_state::remove(const entity_ref& ref, std::int64_t version) {
  const auto known = by_ref_.find(ref);
  if (known != by_ref_.end() && version < subscribers_[known->second].version) return false;
  if (removed_.size() >= removed_max) removed_.clear();
  auto& gone = removed_[stable_hash(ref)];
  gone = std::max(gone, version);
  if (known == by_ref_.end()) return false;
  auto& s = subscribers_[known->second];
  s.live = false;
  ++s.revision;
  free_subscribers_.push_back(known->second);
  by_ref_.erase(known);
  leave(s.group);
  return true;
}

/// The first time on the grid that is at least half an interval away: after a first poll off the grid the second one
/// does not follow on its heels.
steady_time poll_state::next_time(const subscriber& s) const {
  const auto interval = s.interval.count();
  const auto phase = static_cast<std::int64_t>(groups_[s.group].hash % static_cast<std::uint64_t>(interval));
  const auto earliest = now_.time_since_epoch().count() + interval / 2;
  return steady_time{microseconds{((earliest - phase) / interval + 1) * interval + phase}};
}

void poll_state::queue_due() {
  while (!due_.empty() && due_.top().at <= now_) {
    const auto entry = due_.top();
    due_.pop();
    auto& s = subscribers_[entry.subscriber];
    if (!s.live || s.revision != entry.revision) continue;
    due_.push({next_time(s), entry.subscriber, s.revision});
    if (s.waiting) continue; // polls are behind: one answer is enough
    s.waiting = true;
    auto& g = groups_[s.group];
    g.waiting.push_back(entry.subscriber);
    if (g.queued || g.in_flight) continue; // gets the answer that is on its way
    g.queued = true;
    queue_.push_back(s.group);
  }
}

std::optional<fetch> poll_state::take() {
  queue_due();
  while (!queue_.empty() && running_.size() < limits_.concurrency) {
    const auto number = queue_.front();
    queue_.pop_front();
    auto& g = groups_[number];
    g.queued = false;
    if (g.members == 0) {
      drop_if_unused(number);
      continue;
    }
    g.in_flight = true;
    const auto deadline = now_ + std::chrono::milliseconds{g.what->timeout_ms} + limits_.grace;
    running_.emplace(++last_fetch_, running_fetch{number, deadline});
    return fetch{last_fetch_, g.what};
  }
  return std::nullopt;
}

fetch_outcome poll_state::collect(std::uint32_t number) {
  auto& g = groups_[number];
  fetch_outcome outcome;
  outcome.about = shown(*g.what);
  for (const auto member : g.waiting) {
    auto& s = subscribers_[member];
    if (!s.live || s.group != number || !s.waiting) continue; // changed or removed while waiting
    s.waiting = false;
    if (s.busy) {
      ++outcome.busy;
      continue;
    }
    s.busy = true;
    outcome.targets.push_back({member, s.revision, s.ref});
  }
  g.waiting.clear();
  return outcome;
}

std::optional<fetch_outcome> poll_state::finished(std::uint64_t id) {
  if (const auto late = given_up_.find(id); late != given_up_.end()) {
    const auto number = late->second;
    given_up_.erase(late);
    auto& g = groups_[number];
    g.in_flight = false;
    if (!g.waiting.empty() && g.members > 0) {
      g.queued = true;
      queue_.push_back(number);
    }
    drop_if_unused(number);
    return std::nullopt;
  }
  const auto found = running_.find(id);
  if (found == running_.end()) return std::nullopt;
  const auto number = found->second.group;
  running_.erase(found);
  groups_[number].in_flight = false;
  auto outcome = collect(number);
  drop_if_unused(number);
  return outcome;
}

std::vector<std::uint64_t> poll_state::overdue() const {
  std::vector<std::uint64_t> late;
  for (const auto& [id, fetch] : running_)
    if (fetch.deadline <= now_) late.push_back(id);
  return late;
}

std::optional<fetch_outcome> poll_state::give_up(std::uint64_t id) {
  const auto found = running_.find(id);
  if (found == running_.end()) return std::nullopt;
  const auto number = found->second.group;
  running_.erase(found);
  given_up_.emplace(id, number);
  return collect(number);
}

void poll_state::answered(std::uint32_t number, std::uint32_t revision) {
  auto& s = subscribers_[number];
  if (s.revision == revision) s.busy = false;
}

std::optional<microseconds> poll_state::until_next() const {
  std::optional<steady_time> earliest;
  const auto consider = [&](steady_time t) { earliest = earliest ? std::min(*earliest, t) : t; };
  if (!due_.empty()) consider(due_.top().at);
  for (const auto& [id, fetch] : running_) consider(fetch.deadline);
  if (!queue_.empty() && running_.size() < limits_.concurrency) consider(now_);
  if (!earliest) return std::nullopt;
  return std::max(*earliest - now_, microseconds{0});
}

} // namespace tobit::poll
