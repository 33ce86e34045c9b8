#pragma once

#include "actors/event/event_batch.hpp"
#include "schemas/time.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <vector>

namespace tobit::event {

/// An open-addressing set of hashes; 16 bytes a place, at most 2/3 filled.
class id_set {
public:
  bool contains(const id_hash& h) const noexcept;
  /// False if it is there already.
  bool insert(const id_hash& h);
  bool erase(const id_hash& h) noexcept;
  std::size_t size() const noexcept { return size_; }

private:
  std::size_t place_of(const id_hash& h) const noexcept;
  void grow();

  std::vector<id_hash> places_; ///< all zero: free
  std::size_t size_ = 0;
  bool has_zero_ = false; ///< the one hash that cannot be a place
};

/// Remembers the latest event ids, bounded in number and age.
///
/// Ids live in generations; when the youngest is full or old enough a new one begins, and the oldest is forgotten as a
/// whole. So at least `capacity` · (generations − 1) / generations of the latest ids are known, and at most `capacity`;
/// the same for the age. An id repeated after that is taken for a new one.
class id_window {
public:
  static constexpr std::size_t generations = 4;

  id_window(std::size_t capacity, std::chrono::microseconds age) : capacity_(capacity), age_(age) {}

  /// Call before a group of inserts: `now` moves the window on. Nothing moves in between, so that a group can be
  /// undone.
  void advance(utc_time now);
  bool contains(const id_hash& h) const noexcept;
  /// False if it is known already.
  bool insert(const id_hash& h);
  /// Takes back an insert made since the last `advance`.
  void forget(const id_hash& h) noexcept;
  std::size_t size() const noexcept;

private:
  struct generation {
    utc_time begun;
    id_set ids;
  };
  std::size_t capacity_;
  std::chrono::microseconds age_;
  std::deque<generation> generations_; ///< youngest first
};

} // namespace tobit::event
