#pragma once

#include "schemas/time.hpp"

#include <array>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>

namespace tobit::http {

class exchange;

/// Answers `deadline_exceeded` for requests that nobody answered in time, whatever holds them up. Thread-safe. Only
/// requests that are still open when their handler returns come here; those that are answered leave at once.
class deadline_watch {
public:
  /// What is given to handlers to answer by themselves after the deadline, e.g. with what they have so far.
  static constexpr std::chrono::milliseconds grace{250};

  void add(const std::shared_ptr<exchange>& open);
  void remove(exchange& gone) noexcept;
  /// Answers what is due. Called every 100 ms or so.
  void sweep(steady_time now);

private:
  static constexpr std::size_t part_count = 8;
  static constexpr std::size_t slot_count = 128; ///< seconds; more than the longest deadline
  struct part {
    std::mutex guard;
    std::array<std::list<std::weak_ptr<exchange>>, slot_count> slots;
  };
  part& part_of(const exchange& e) noexcept;

  std::array<part, part_count> parts_;
  std::size_t swept_slot_ = 0;
};

} // namespace tobit::http
