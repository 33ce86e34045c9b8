#pragma once

#include "runtime/storage/session.hpp"
#include "schemas/error.hpp"

#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace tobit::cluster {

/// The session of one thread, which opens and closes it; others may only break it. `Session` is `storage::session` or
/// derived from it.
template <class Session>
class lane_session {
public:
  explicit lane_session(std::string name) : name_(std::move(name)) {}

  Session* get() const noexcept { return current_.get(); }
  /// Takes what opening gave. Only changes are logged: while the database is away, somebody tries every moment.
  Session* take(result<std::unique_ptr<Session>> opened) {
    if (!opened) {
      if (std::exchange(well_, false)) spdlog::error("cluster.store_lost session={} {}", name_, opened.error().text());
      return nullptr;
    }
    if (!std::exchange(well_, true)) spdlog::info("cluster.store_back session={}", name_);
    std::lock_guard lock{guard_};
    current_ = std::move(*opened);
    if (broken_for_good_) current_->interrupt();
    return current_.get();
  }
  void drop() {
    std::unique_ptr<Session> old;
    std::lock_guard lock{guard_};
    old = std::move(current_);
  }
  /// From any thread: whatever it waits for ends now, and so does what is opened later.
  void break_for_good() noexcept {
    std::lock_guard lock{guard_};
    broken_for_good_ = true;
    if (current_) current_->interrupt();
  }

private:
  const std::string name_;
  mutable std::mutex guard_;
  std::unique_ptr<Session> current_;
  bool broken_for_good_ = false, well_ = true;
};

} // namespace tobit::cluster
