#include "actors/schedule/ledger_state.hpp"

#include <algorithm>

namespace tobit::schedule {

namespace {

using std::chrono::microseconds;

/// Versions of removed schedules that are remembered against calls that come late.
constexpr std::size_t removed_max = 10'000;

/// splitmix64 by Vigna: https://prng.di.unimi.it/splitmix64.c
std::uint64_t mix(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

} // namespace

ledger_state::ledger_state(const ledger_limits& limits)
    : limits_(limits), index_(16, by_entity{this}, same_entity{this}) {
  limits_.policy.overlapping_max = std::min(limits_.policy.overlapping_max, 30u);
  limits_.history = std::clamp(limits_.history, limits_.policy.overlapping_max + 2, 32u);
}

std::size_t ledger_state::by_entity::operator()(std::uint32_t slot) const {
  return (*this)(state->ref_of(state->slots_[slot]));
}

bool ledger_state::same_entity::operator()(const entity_ref& ref, std::uint32_t number) const {
  const auto& s = state->slots_[number];
  const auto& [kind, tenant] = state->owners_[s.owner];
  return s.key == ref.key && tenant == ref.tenant && kind == ref.kind;
}

entity_ref ledger_state::ref_of(const slot& s) const {
  const auto& [kind, tenant] = owners_[s.owner];
  return {kind, tenant, s.key};
}

std::uint32_t ledger_state::owner_of(const entity_ref& ref) {
  for (std::size_t i = 0; i < owners_.size(); ++i)
    if (owners_[i].second == ref.tenant && owners_[i].first == ref.kind) return static_cast<std::uint32_t>(i);
  owners_.emplace_back(ref.kind, ref.tenant);
  return static_cast<std::uint32_t>(owners_.size() - 1);
}

ledger_state::slot* ledger_state::find(const entity_ref& ref, std::uint32_t* number) {
  const auto found = index_.find(ref);
  if (found == index_.end()) return nullptr;
  if (number) *number = *found;
  return &slots_[*found];
}

std::uint32_t ledger_state::new_slot(const entity_ref& ref) {
  std::uint32_t number = 0;
  if (free_.empty()) {
    number = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    number = free_.back();
    free_.pop_back();
    const auto revision = slots_[number].revision;
    slots_[number] = slot{};
    slots_[number].revision = revision + 1; // entries of the former tenant of this slot stay stale
  }
  auto& s = slots_[number];
  s.key = ref.key;
  s.key.shrink_to_fit();
  s.owner = owner_of(ref);
  s.live = true;
  index_.insert(number);
  return number;
}

void ledger_state::release_if_unused(std::uint32_t number) {
  const auto& s = slots_[number];
  if (!s.live && !s.claimed && s.open == 0) free_.push_back(number);
}

utc_time ledger_state::fire_time(const slot& s) const {
  if (s.spec.jitter_seconds == 0) return s.next_due;
  const auto range = static_cast<std::uint64_t>(s.spec.jitter_seconds) * 1'000'000 + 1;
  const auto seed = stable_hash(ref_of(s)) ^ static_cast<std::uint64_t>(to_micros(s.next_due));
  return s.next_due + microseconds{static_cast<std::int64_t>(mix(seed) % range)};
}

void ledger_state::arm(std::uint32_t number) {
  auto& s = slots_[number];
  s.waiting = false;
  if (!s.live || s.exhausted || s.claimed) return;
  auto& queue = queue_of(s);
  if (queue.size() > 2 * slots_.size() + 1'024) sweep(queue);
  queue.push({fire_time(s), number, s.revision});
}

/// Entries of changed and removed schedules lie in the queue until their time; under many changes they would pile up.
void ledger_state::sweep(due_queue& queue) {
  due_queue kept;
  for (; !queue.empty(); queue.pop())
    if (!stale(queue.top())) kept.push(queue.top());
  queue = std::move(kept);
}

std::optional<schedule_row> ledger_state::define(const entity_ref& ref, std::int64_t version,
                                                 const schedule_spec& spec) {
  if (const auto gone = removed_.find(stable_hash(ref)); gone != removed_.end() && gone->second >= version) return {};
  std::uint32_t number = 0;
  auto* known = find(ref, &number);
  if (known) {
    if (version <= known->version) return {};
    known->version = version;
    if (known->spec == spec) return {};
    ++known->revision;
  } else {
    number = new_slot(ref);
  }
  auto& s = slots_[number];
  s.spec = spec;
  s.version = version;
  s.in_order = false;
  s.anchor = now_for(s);
  const auto first = next_due(spec, s.anchor, s.anchor);
  s.exhausted = !first;
  s.next_due = first.value_or(utc_time{});
  arm(number);
  return schedule_row{ref, s.anchor, first, s.tick_count};
}

bool ledger_state::remove(const entity_ref& ref, std::int64_t version) {
  std::uint32_t number = 0;
  auto* s = find(ref, &number);
  if (s && version < s->version) return false;
  note_removed(ref, version);
  if (!s) return false;
  index_.erase(index_.find(ref));
  s->live = false;
  ++s->revision;
  release_if_unused(number);
  return true;
}

void ledger_state::note_removed(const entity_ref& ref, std::int64_t version) {
  if (removed_.size() >= removed_max) removed_.clear();
  auto& known = removed_[stable_hash(ref)];
  known = std::max(known, version);
}

void ledger_state::load(const schedule_row& row, std::int64_t version, const schedule_spec& spec) {
  if (find(row.ref)) return;
  const auto number = new_slot(row.ref);
  auto& s = slots_[number];
  s.spec = spec;
  s.version = version;
  s.anchor = row.anchor;
  s.exhausted = !row.next_due;
  s.next_due = row.next_due.value_or(utc_time{});
  s.tick_count = static_cast<std::uint32_t>(row.tick_count);
  // The clock was set back while nobody ran: the interval goes on from where it had come.
  if (spec.interval.count() > 0 && row.next_due)
    behind_ = std::max(behind_, *row.next_due - microseconds{spec.interval} - now_);
  arm(number);
}

void ledger_state::reopen(const entity_ref& ref, std::uint32_t place, utc_time due, std::int64_t missed) {
  std::uint32_t number = 0;
  if (!find(ref, &number)) {
    // Disabled in the meantime: deliver it none the less, for it was due before; the entity knows better.
    number = new_slot(ref);
    index_.erase(index_.find(ref));
    slots_[number].live = false;
  }
  ready_.push_back(open(number, place, due, due, missed));
}

microseconds ledger_state::observe(utc_time now, steady_time steady_now) {
  const auto elapsed = steady_now - steady_now_;
  const auto step = now - now_ - elapsed;
  now_ = now;
  steady_now_ = steady_now;
  if (!observed_) {
    observed_ = true;
    return microseconds{0};
  }
  if (step < microseconds{0})
    behind_ -= step;
  else
    behind_ -= std::min(behind_, step);
  queue_due_retries();
  return std::max(-step, microseconds{0});
}

bool ledger_state::stale(const due_entry& entry) const {
  const auto& s = slots_[entry.slot];
  return !s.live || s.claimed || s.revision != entry.revision;
}

void ledger_state::drop_stale(due_queue& queue) {
  while (!queue.empty() && stale(queue.top())) queue.pop();
}

std::vector<claim> ledger_state::take_due(std::size_t count) {
  std::vector<claim> claims;
  for (auto* queue : {&by_calendar_, &by_elapsed_}) {
    while (claims.size() < count && open_.size() + claims.size() < limits_.open_max) {
      drop_stale(*queue);
      if (queue->empty() || queue->top().fire_at > now_for(slots_[queue->top().slot])) break;
      const auto entry = queue->top();
      queue->pop();
      if (auto c = decide(entry)) claims.push_back(std::move(*c));
    }
  }
  return claims;
}

std::optional<claim> ledger_state::decide(const due_entry& entry) {
  auto& s = slots_[entry.slot];
  const due_schedule at{s.spec, s.anchor, s.next_due, entry.fire_at, now_for(s), s.open, s.retrying > 0, s.in_order};
  auto decision = decide_tick(at, limits_.policy);
  s.in_order = decision.in_order;
  if (decision.action == tick_action::wait) {
    s.waiting = true;
    return std::nullopt;
  }
  s.claimed = true;
  claim c;
  c.slot = entry.slot;
  c.revision = s.revision;
  c.ref = ref_of(s);
  c.decision = decision;
  c.tick_count = s.tick_count + 1;
  c.place = free_place(s);
  c.fire_at = entry.fire_at;
  c.decided_at = now_;
  return c;
}

std::uint32_t ledger_state::free_place(const slot& s) const {
  auto place = s.tick_count % limits_.history;
  while (s.open_places >> place & 1) place = (place + 1) % limits_.history; // more places than ticks can be open
  return place;
}

void ledger_state::commit(const claim& c) {
  auto& s = slots_[c.slot];
  s.claimed = false;
  ++s.tick_count;
  if (c.revision == s.revision) {
    s.exhausted = !c.decision.next_due;
    s.next_due = c.decision.next_due.value_or(utc_time{});
  }
  arm(c.slot);
  if (c.decision.action == tick_action::fire)
    ready_.push_back(open(c.slot, c.place, c.decision.due, std::max(c.fire_at, c.decision.due), c.decision.missed));
  release_if_unused(c.slot);
}

void ledger_state::give_back(const claim& c) {
  slots_[c.slot].claimed = false;
  arm(c.slot);
  release_if_unused(c.slot);
}

std::uint64_t ledger_state::open(std::uint32_t number, std::uint32_t place, utc_time due, utc_time fire_at,
                                 std::int64_t missed) {
  open_tick tick;
  tick.slot = number;
  tick.place = place;
  tick.due = due;
  tick.fire_at = fire_at;
  tick.missed = missed;
  tick.opened_at = steady_now_;
  open_.emplace(++last_tick_, tick);
  ++slots_[number].open;
  if (place < 32) slots_[number].open_places |= 1u << place;
  return last_tick_;
}

std::optional<delivery> ledger_state::next_delivery() {
  if (ready_.empty() || in_flight_ >= limits_.in_flight_max) return std::nullopt;
  const auto id = ready_.front();
  ready_.pop_front();
  ++in_flight_;
  const auto& tick = open_.at(id);
  const auto& s = slots_[tick.slot];
  return delivery{id, ref_of(s), tick.due, tick.missed, std::max(now_for(s) - tick.fire_at, microseconds{0})};
}

std::optional<settlement> ledger_state::answered(std::uint64_t tick) {
  if (!open_.count(tick)) return std::nullopt;
  --in_flight_;
  return close(tick, "fired", {});
}

std::optional<settlement> ledger_state::refused(std::uint64_t id, const error& why) {
  const auto found = open_.find(id);
  if (found == open_.end()) return std::nullopt;
  --in_flight_;
  auto& tick = found->second;
  auto& s = slots_[tick.slot];
  if (!s.live && why.code == error_code::not_found) return close(id, "skipped", "The schedule was removed.");
  if (!describe(why.code).retryable) return close(id, "failed", std::string(why.text()));
  if (steady_now_ - tick.opened_at >= limits_.overdue_after) return close(id, "overdue", std::string(why.text()));
  const auto pause = limits_.retry_first * (std::int64_t{1} << std::min<std::uint32_t>(tick.attempts++, 20));
  retries_.emplace(steady_now_ + std::min(pause, limits_.retry_max), id);
  if (!tick.retrying) ++s.retrying;
  tick.retrying = true;
  return std::nullopt;
}

void ledger_state::queue_due_retries() {
  while (!retries_.empty() && retries_.begin()->first <= steady_now_) {
    ready_.push_back(retries_.begin()->second);
    retries_.erase(retries_.begin());
  }
}

settlement ledger_state::close(std::uint64_t id, std::string_view status, std::string reason) {
  const auto found = open_.find(id);
  const auto tick = found->second;
  open_.erase(found);
  auto& s = slots_[tick.slot];
  --s.open;
  if (tick.place < 32) s.open_places &= ~(1u << tick.place);
  if (tick.retrying) --s.retrying;
  settlement over{ref_of(s), tick.place, tick.due, now_, status, reason.substr(0, 500)};
  if (s.waiting) arm(tick.slot);
  release_if_unused(tick.slot);
  return over;
}

std::optional<microseconds> ledger_state::until_next() const {
  std::optional<microseconds> shortest;
  const auto consider = [&](microseconds left) {
    left = std::max(left, microseconds{0});
    if (!shortest || left < *shortest) shortest = left;
  };
  if (open_.size() < limits_.open_max) {
    // Stale entries on top only make us look too early.
    if (!by_calendar_.empty()) consider(by_calendar_.top().fire_at - now_);
    if (!by_elapsed_.empty()) consider(by_elapsed_.top().fire_at - now_ - behind_);
  }
  if (!retries_.empty()) consider(retries_.begin()->first - steady_now_);
  if (!ready_.empty() && in_flight_ < limits_.in_flight_max) consider(microseconds{0});
  return shortest;
}

} // namespace tobit::schedule
