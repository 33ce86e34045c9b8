#pragma once

#include "runtime/time/clock.hpp"
#include "schemas/error.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tobit::http {

/// Remembers loaded values for a short time, so that a right that was taken away is gone within `usable_for` on every
/// node, and at once on the node that calls `forget`. Thread-safe, bounded; several askers of one key share one load.
template <class V>
class fresh_cache : public std::enable_shared_from_this<fresh_cache<V>> {
public:
  using value = std::shared_ptr<const V>;
  using receiver = std::function<void(result<value>)>;
  using loader = std::function<void(const std::string& key, receiver done)>;

  struct bounds {
    std::chrono::milliseconds fresh_for{1'000};  ///< used as it is
    std::chrono::milliseconds usable_for{3'000}; ///< used while it is loaded anew in the background
    std::size_t values_max = 10'000;
    std::size_t waiting_max = 1'000; ///< askers that wait for one load
  };

  fresh_cache(const clock& time, loader load, bounds limits) : time_(time), load_(std::move(load)), limits_(limits) {}

  /// Calls `done` at once if the value is known, else on the loader's thread.
  void get(const std::string& key, receiver done) {
    value known;
    bool start = false;
    {
      std::lock_guard lock{guard_};
      auto& e = touch(key);
      const auto age = time_.steady_now() - e.loaded_at;
      if (e.known && age < limits_.usable_for) {
        known = e.known;
        start = age >= limits_.fresh_for && !std::exchange(e.loading, true);
      } else if (e.waiting.size() < limits_.waiting_max) {
        e.waiting.push_back(std::move(done));
        start = !std::exchange(e.loading, true);
        done = nullptr;
      }
    }
    if (start) begin(key);
    if (known)
      done(std::move(known));
    else if (done)
      done(fail(error_code::overloaded));
  }

  /// The next `get` loads anew; a load under way is repeated.
  void forget(const std::string& key) {
    std::lock_guard lock{guard_};
    auto found = by_key_.find(key);
    if (found == by_key_.end()) return;
    auto& e = found->second->second;
    e.known = nullptr;
    e.changed = e.loading;
  }

private:
  struct entry {
    value known;
    steady_time loaded_at;
    bool loading = false, changed = false;
    std::vector<receiver> waiting;
  };
  using item = std::pair<std::string, entry>;

  entry& touch(const std::string& key) {
    if (auto found = by_key_.find(key); found != by_key_.end()) {
      by_use_.splice(by_use_.begin(), by_use_, found->second);
      return by_use_.front().second;
    }
    if (by_use_.size() >= limits_.values_max)
      for (auto last = std::prev(by_use_.end()); last != by_use_.begin(); --last) {
        if (last->second.loading) continue;
        by_key_.erase(last->first);
        by_use_.erase(last);
        break;
      }
    by_use_.emplace_front(key, entry{});
    by_key_.emplace(by_use_.front().first, by_use_.begin());
    return by_use_.front().second;
  }

  void begin(const std::string& key) {
    load_(key, [self = this->shared_from_this(), key](result<value> loaded) { self->finish(key, std::move(loaded)); });
  }

  void finish(const std::string& key, result<value> loaded) {
    std::vector<receiver> waiting;
    bool again = false;
    {
      std::lock_guard lock{guard_};
      auto& e = touch(key);
      again = std::exchange(e.changed, false); // what was loaded may be from before the change
      if (!again) {
        e.loading = false;
        if (loaded) e.known = *loaded, e.loaded_at = time_.steady_now();
        waiting.swap(e.waiting);
        if (!e.known) drop_front();
      }
    }
    if (again) return begin(key);
    for (auto& done : waiting) done(loaded);
  }

  void drop_front() {
    by_key_.erase(by_use_.front().first);
    by_use_.erase(by_use_.begin());
  }

  const clock& time_;
  const loader load_;
  const bounds limits_;
  std::mutex guard_;
  std::list<item> by_use_; ///< latest first
  std::unordered_map<std::string, typename std::list<item>::iterator> by_key_;
};

} // namespace tobit::http
