#pragma once

#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tobit::rule {

/// States by key, and which of them was used longest ago. Finding one allocates nothing; places are small numbers that
/// stay the same as long as their key is there. Open addressing with linear probing and backward shift.
template <class State>
class key_table {
public:
  using place = std::uint32_t;
  static constexpr place none = std::numeric_limits<place>::max();

  std::size_t size() const noexcept { return size_; }
  State& operator[](place p) noexcept { return entries_[p].state; }
  const State& operator[](place p) const noexcept { return entries_[p].state; }
  const std::string& key(place p) const noexcept { return entries_[p].key; }
  bool is_used(place p) const noexcept { return p < entries_.size() && entries_[p].used; }

  place find(std::string_view key) const noexcept {
    if (size_ == 0) return none;
    const auto hash = hash_of(key);
    for (auto i = hash & mask();; i = (i + 1) & mask()) {
      const auto p = index_[i];
      if (p == none) return none;
      if (entries_[p].hash == hash && entries_[p].key == key) return p;
    }
  }

  /// Precondition: the key is not there. The new one counts as used just now.
  place insert(std::string_view key) {
    if ((size_ + 1) * 2 > index_.size()) grow();
    place p;
    if (free_.empty()) {
      p = static_cast<place>(entries_.size());
      entries_.emplace_back();
    } else {
      p = free_.back();
      free_.pop_back();
    }
    auto& e = entries_[p];
    e.key.assign(key);
    e.hash = hash_of(key);
    e.used = true;
    put(p);
    ++size_;
    link(p);
    return p;
  }

  void erase(place p) {
    unlink(p);
    auto hole = entries_[p].hash & mask();
    while (index_[hole] != p) hole = (hole + 1) & mask();
    index_[hole] = none;
    // Whoever was pushed past the hole moves back, so that a search never stops too early.
    for (auto i = (hole + 1) & mask(); index_[i] != none; i = (i + 1) & mask()) {
      const auto home = entries_[index_[i]].hash & mask();
      if (((i - home) & mask()) < ((i - hole) & mask())) continue;
      index_[hole] = index_[i];
      index_[i] = none;
      hole = i;
    }
    entries_[p] = {};
    free_.push_back(p);
    --size_;
  }

  void touch(place p) noexcept {
    if (newest_ == p) return;
    unlink(p);
    link(p);
  }

  /// From the one used longest ago to the latest: `for (auto p = t.oldest(); p != t.none; p = t.newer(p))`.
  place oldest() const noexcept { return oldest_; }
  place newer(place p) const noexcept { return entries_[p].newer; }

  void clear() { *this = {}; }

private:
  struct entry {
    std::string key;
    std::uint64_t hash = 0;
    place older = none, newer = none;
    bool used = false;
    State state;
  };

  static std::uint64_t hash_of(std::string_view key) noexcept { return XXH3_64bits(key.data(), key.size()); }
  std::uint64_t mask() const noexcept { return index_.size() - 1; }

  void put(place p) noexcept {
    auto i = entries_[p].hash & mask();
    while (index_[i] != none) i = (i + 1) & mask();
    index_[i] = p;
  }
  void grow() {
    index_.assign(index_.empty() ? 8 : index_.size() * 2, none);
    for (place p = 0; p < entries_.size(); ++p)
      if (entries_[p].used) put(p);
  }
  void link(place p) noexcept {
    auto& e = entries_[p];
    e.older = newest_;
    e.newer = none;
    if (newest_ != none) entries_[newest_].newer = p;
    newest_ = p;
    if (oldest_ == none) oldest_ = p;
  }
  void unlink(place p) noexcept {
    const auto& e = entries_[p];
    (e.older == none ? oldest_ : entries_[e.older].newer) = e.newer;
    (e.newer == none ? newest_ : entries_[e.newer].older) = e.older;
  }

  std::vector<entry> entries_;
  std::vector<place> index_, free_;
  std::size_t size_ = 0;
  place oldest_ = none, newest_ = none;
};

} // namespace tobit::rule
