#include "http/route/deadline_watch.hpp"

#include "http/route/exchange.hpp"

#include <cstdint>
#include <vector>

namespace tobit::http {

namespace {

std::size_t slot_of(steady_time t, std::size_t slots) {
  const auto second = std::chrono::floor<std::chrono::seconds>(t.time_since_epoch()).count();
  return static_cast<std::size_t>(second) % slots;
}

} // namespace

deadline_watch::part& deadline_watch::part_of(const exchange& e) noexcept {
  return parts_[(reinterpret_cast<std::uintptr_t>(&e) >> 6) % part_count];
}

void deadline_watch::add(const std::shared_ptr<exchange>& open) {
  auto& home = part_of(*open);
  {
    std::lock_guard lock{home.guard};
    open->watched_slot_ = slot_of(open->deadline() + grace, slot_count);
    auto& slot = home.slots[open->watched_slot_];
    open->watched_ = slot.insert(slot.end(), open);
  }
  if (open->answered()) remove(*open);
}

void deadline_watch::remove(exchange& gone) noexcept {
  auto& home = part_of(gone);
  std::lock_guard lock{home.guard};
  if (!gone.watched_) return;
  home.slots[gone.watched_slot_].erase(*gone.watched_);
  gone.watched_.reset();
}

void deadline_watch::sweep(steady_time now) {
  // The slot of this second and those since the last sweep, however long that was ago.
  const auto until = slot_of(now, slot_count);
  std::vector<std::shared_ptr<exchange>> due, spared; // `spared` only defers destructors until the lock is released
  for (auto slot = swept_slot_;; slot = (slot + 1) % slot_count) {
    for (auto& home : parts_) {
      std::lock_guard lock{home.guard};
      auto& waiting = home.slots[slot];
      for (auto at = waiting.begin(); at != waiting.end();) {
        auto open = at->lock(); // null while its destructor waits for this lock to leave by itself
        if (open && open->deadline() + grace <= now) {
          open->watched_.reset();
          at = waiting.erase(at);
          due.push_back(std::move(open));
        } else {
          if (open) spared.push_back(std::move(open));
          ++at;
        }
      }
    }
    if (slot == until) break;
  }
  swept_slot_ = until;
  for (auto& open : due) open->refuse(error{error_code::deadline_exceeded});
}

} // namespace tobit::http
