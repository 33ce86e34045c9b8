#pragma once

#include "schemas/time.hpp"

#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

namespace tobit::http::edge {

/// Names a connection for as long as its reactor lives; never used twice.
using connection_id = std::uint64_t;

/// Which connection to look at when, earliest first. Entries are reminders: a deadline that moved to later stays where
/// it is, and whoever is reminded too early sets the reminder anew. So nothing is ever searched or removed, and a busy
/// connection costs nothing.
class deadline_queue {
public:
  void remind(connection_id who, steady_time when) { heap_.push({when, who}); }

  /// The next connection whose reminder is due.
  std::optional<connection_id> due(steady_time now) {
    if (heap_.empty() || heap_.top().when > now) return {};
    const auto who = heap_.top().who;
    heap_.pop();
    return who;
  }
  std::optional<steady_time> next() const { return heap_.empty() ? std::optional<steady_time>{} : heap_.top().when; }
  std::size_t size() const noexcept { return heap_.size(); }

private:
  struct reminder {
    steady_time when;
    connection_id who;
    bool operator>(const reminder& other) const noexcept { return when > other.when; }
  };
  std::priority_queue<reminder, std::vector<reminder>, std::greater<>> heap_;
};

} // namespace tobit::http::edge
