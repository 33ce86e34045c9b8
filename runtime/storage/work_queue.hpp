#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

namespace tobit::storage {

/// A bounded queue from any thread to storage threads. After `close` nothing more goes in, but what is inside comes
/// out.
template <class T>
class work_queue {
public:
  enum class verdict { taken, full, closed };

  explicit work_queue(std::size_t limit) : limit_(limit) {}

  /// Moves from `item` only if it is taken.
  verdict push(T& item) {
    {
      std::lock_guard lock{guard_};
      if (closed_) return verdict::closed;
      if (items_.size() >= limit_) return verdict::full;
      items_.push_back(std::move(item));
    }
    arrived_.notify_one();
    return verdict::taken;
  }

  /// Waits for items and takes up to `most` of them in their order; none means closed and empty.
  std::vector<T> pop(std::size_t most) {
    std::unique_lock lock{guard_};
    arrived_.wait(lock, [this] { return closed_ || !items_.empty(); });
    std::vector<T> taken;
    taken.reserve(std::min(most, items_.size()));
    while (!items_.empty() && taken.size() < most) {
      taken.push_back(std::move(items_.front()));
      items_.pop_front();
    }
    return taken;
  }

  void close() {
    {
      std::lock_guard lock{guard_};
      closed_ = true;
    }
    arrived_.notify_all();
  }

  std::size_t size() const {
    std::lock_guard lock{guard_};
    return items_.size();
  }

private:
  const std::size_t limit_;
  mutable std::mutex guard_;
  std::condition_variable arrived_;
  std::deque<T> items_;
  bool closed_ = false;
};

} // namespace tobit::storage
