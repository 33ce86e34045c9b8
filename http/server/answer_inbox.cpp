#include "http/server/answer_inbox.hpp"

#include <cerrno>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace tobit::http::edge {

bool stream_link::reserve(std::size_t bytes) noexcept {
  if (queued_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= bytes_max_) return true;
  release(bytes);
  return false;
}

void stream_link::end() noexcept {
  std::function<void()> callback;
  {
    const std::lock_guard lock{mutex_};
    if (ended_.exchange(true, std::memory_order_acq_rel)) return;
    callback.swap(callback_);
  }
  try {
    if (callback) callback();
  } catch (...) {
    // The owner's own trouble must not end the thread that tells it.
  }
}

void stream_link::on_closed(std::function<void()> callback) {
  {
    const std::lock_guard lock{mutex_};
    if (!ended()) {
      callback_ = std::move(callback);
      return;
    }
  }
  if (callback) callback();
}

answer_inbox::answer_inbox() : handle_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!handle_) throw std::system_error(errno, std::generic_category(), "eventfd");
}

void answer_inbox::wake() noexcept {
  const std::uint64_t one = 1;
  // Can only fail when the counter is full, and then the reactor is awake.
  [[maybe_unused]] const auto written = ::write(handle_.get(), &one, sizeof one);
}

bool answer_inbox::post(instruction one) {
  {
    std::unique_lock lock{mutex_};
    if (!closed_) {
      waiting_.push_back(std::move(one));
      const bool wake_up = std::exchange(sleeping_, false);
      lock.unlock();
      if (wake_up) wake();
      return true;
    }
  }
  if (one.stream) one.stream->end();
  return false;
}

void answer_inbox::drain(std::vector<instruction>& into) {
  into.clear();
  const std::lock_guard lock{mutex_};
  into.swap(waiting_);
}

bool answer_inbox::may_sleep() {
  const std::lock_guard lock{mutex_};
  sleeping_ = waiting_.empty();
  return sleeping_;
}

void answer_inbox::close() {
  std::vector<instruction> dropped;
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    dropped.swap(waiting_);
  }
  for (auto& one : dropped)
    if (one.stream) one.stream->end();
}

} // namespace tobit::http::edge
