#pragma once

#include <mutex>
#include <utility>

namespace tobit::outbound {

/// Stands before a client that may end earlier than those who still mean to use it, such as callbacks of the database.
/// Held by both sides; thread-safe.
class client_gate {
public:
  /// Runs `use` unless the gate is closed; says whether it did. `use` is short: the owner's `close` waits for it.
  template <class Use>
  bool pass(Use&& use) {
    std::lock_guard lock{guard_};
    if (closed_) return false;
    std::forward<Use>(use)();
    return true;
  }
  /// After this nobody passes any more.
  void close() {
    std::lock_guard lock{guard_};
    closed_ = true;
  }

private:
  std::mutex guard_;
  bool closed_ = false;
};

} // namespace tobit::outbound
