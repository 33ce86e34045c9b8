#include "actors/event/id_window.hpp"

#include <algorithm>
#include <utility>

namespace tobit::event {

// XXH3's bits are well mixed, so the low half is the hash of the hash. Linear probing.

std::size_t id_set::place_of(const id_hash& h) const noexcept {
  const auto mask = places_.size() - 1;
  auto at = static_cast<std::size_t>(h.low) & mask;
  while (places_[at] != id_hash{} && places_[at] != h) at = (at + 1) & mask;
  return at;
}

bool id_set::contains(const id_hash& h) const noexcept {
  if (h == id_hash{}) return has_zero_;
  return !places_.empty() && places_[place_of(h)] == h;
}

void id_set::grow() {
  auto old = std::exchange(places_, std::vector<id_hash>(std::max<std::size_t>(1'024, places_.size() * 2)));
  for (const auto& h : old)
    if (h != id_hash{}) places_[place_of(h)] = h;
}

bool id_set::insert(const id_hash& h) {
  if (h == id_hash{}) {
    size_ += has_zero_ ? 0 : 1;
    return !std::exchange(has_zero_, true);
  }
  if ((size_ + 1) * 3 > places_.size() * 2) grow();
  auto& place = places_[place_of(h)];
  if (place == h) return false;
  place = h;
  ++size_;
  return true;
}

bool id_set::erase(const id_hash& h) noexcept {
  if (!contains(h)) return false;
  --size_;
  if (h == id_hash{}) return std::exchange(has_zero_, false);
  // Moves later members of the probe chain up, so that no chain has a hole (Knuth 6.4, algorithm R).
  const auto mask = places_.size() - 1;
  auto hole = place_of(h);
  places_[hole] = {};
  for (auto at = (hole + 1) & mask; places_[at] != id_hash{}; at = (at + 1) & mask) {
    const auto home = static_cast<std::size_t>(places_[at].low) & mask;
    const bool reaches_hole = ((at - home) & mask) >= ((at - hole) & mask);
    if (!reaches_hole) continue;
    places_[hole] = std::exchange(places_[at], {});
    hole = at;
  }
  return true;
}

void id_window::advance(utc_time now) {
  const auto share = std::max<std::size_t>(1, capacity_ / generations);
  const bool begin_new = generations_.empty() || generations_.front().ids.size() >= share ||
                         now - generations_.front().begun >= age_ / static_cast<std::int64_t>(generations);
  // A calendar clock that was set back must not make a generation eternal; the number bounds it in any case.
  if (begin_new) generations_.push_front({now, {}});
  while (generations_.size() > generations || (generations_.size() > 1 && now - generations_.back().begun > age_ * 2))
    generations_.pop_back();
}

bool id_window::contains(const id_hash& h) const noexcept {
  return std::any_of(generations_.begin(), generations_.end(), [&](const auto& g) { return g.ids.contains(h); });
}

bool id_window::insert(const id_hash& h) {
  if (generations_.empty()) generations_.emplace_front();
  if (contains(h)) return false;
  return generations_.front().ids.insert(h);
}

void id_window::forget(const id_hash& h) noexcept {
  if (!generations_.empty()) generations_.front().ids.erase(h);
}

std::size_t id_window::size() const noexcept {
  std::size_t total = 0;
  for (const auto& g : generations_) total += g.ids.size();
  return total;
}

} // namespace tobit::event
