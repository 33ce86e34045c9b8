#pragma once

#include "runtime/storage/session.hpp"

#include <chrono>
#include <memory>

namespace tobit::storage {

/// Holds the session of one storage thread and opens it anew when it is lost: at once the first time, then with a pause
/// that doubles from 50 ms to 5 s. Within the pause `get` fails at once, so that nobody waits for a database that is
/// away.
class session_slot {
public:
  session_slot(session_factory open, session_role role) : open_(std::move(open)), role_(role) {}

  /// The usable session. Errors: those of opening it.
  result<session*> get();
  /// Gives the session up; the next `get` opens a new one.
  void discard() noexcept { current_.reset(); }
  /// The session has proven to work.
  void proven() noexcept { pause_ = std::chrono::milliseconds{0}; }

private:
  session_factory open_;
  session_role role_;
  std::unique_ptr<session> current_;
  error last_failure_;
  std::chrono::steady_clock::time_point not_before_{};
  std::chrono::milliseconds pause_{0};
};

} // namespace tobit::storage
