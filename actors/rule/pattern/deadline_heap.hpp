#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace tobit::rule::pattern {

/// Slots by their deadlines, the earliest first, equal deadlines by sequence. Knows where each slot is, so that a match
/// that completes leaves at once: nothing stale is ever kept. Deadlines mostly come in order, and then adding is O(1).
class deadline_heap {
public:
  struct entry {
    std::int64_t deadline_us = 0;
    std::uint64_t sequence = 0;
    std::uint32_t slot = 0;
    bool operator<(const entry& other) const noexcept {
      return deadline_us != other.deadline_us ? deadline_us < other.deadline_us : sequence < other.sequence;
    }
  };

  bool empty() const noexcept { return entries_.empty(); }
  const entry& top() const noexcept { return entries_.front(); }
  const std::vector<entry>& entries() const noexcept { return entries_; } ///< in no useful order

  void add(entry e) {
    if (e.slot >= place_.size()) place_.resize(e.slot + 1, nowhere);
    entries_.push_back(e);
    rise(entries_.size() - 1);
  }
  /// Precondition: the slot is in.
  void move(std::uint32_t slot, std::int64_t deadline_us) {
    const auto at = place_[slot];
    entries_[at].deadline_us = deadline_us;
    sink(rise(at));
  }
  /// Precondition: the slot is in.
  void remove(std::uint32_t slot) {
    const std::size_t at = place_[slot];
    place_[slot] = nowhere;
    const auto last = entries_.back();
    entries_.pop_back();
    if (at == entries_.size()) return;
    entries_[at] = last;
    place_[last.slot] = static_cast<std::uint32_t>(at);
    sink(rise(at));
  }
  void clear() { entries_.clear(), place_.clear(); }

private:
  static constexpr auto nowhere = std::numeric_limits<std::uint32_t>::max();

  std::size_t rise(std::size_t at) {
    const auto e = entries_[at];
    while (at > 0 && e < entries_[(at - 1) / 2]) {
      put(at, entries_[(at - 1) / 2]);
      at = (at - 1) / 2;
    }
    put(at, e);
    return at;
  }
  void sink(std::size_t at) {
    const auto e = entries_[at];
    for (auto child = 2 * at + 1; child < entries_.size(); child = 2 * at + 1) {
      if (child + 1 < entries_.size() && entries_[child + 1] < entries_[child]) ++child;
      if (!(entries_[child] < e)) break;
      put(at, entries_[child]);
      at = child;
    }
    put(at, e);
  }
  void put(std::size_t at, const entry& e) {
    entries_[at] = e;
    place_[e.slot] = static_cast<std::uint32_t>(at);
  }

  std::vector<entry> entries_;
  std::vector<std::uint32_t> place_; ///< by slot
};

} // namespace tobit::rule::pattern
