#include "runtime/storage/session_slot.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace tobit::storage {

namespace {

constexpr std::chrono::milliseconds first_pause{50}, longest_pause{5'000};

} // namespace

result<session*> session_slot::get() {
  if (current_) return current_.get();
  const auto now = std::chrono::steady_clock::now();
  if (now < not_before_) return fail(last_failure_);
  auto opened = open_(role_);
  if (opened) {
    current_ = std::move(*opened);
    return current_.get();
  }
  last_failure_ = std::move(opened.error());
  // At start the reason is named (configuration, connection, disk); later on it is an outage like any other.
  if (last_failure_.code != error_code::storage_full) last_failure_.code = error_code::database_error;
  pause_ = std::clamp(pause_ * 2, first_pause, longest_pause);
  not_before_ = now + pause_;
  spdlog::warn("storage.reopen_failed next_attempt_ms={} {}", pause_.count(), last_failure_.text());
  return fail(last_failure_);
}

} // namespace tobit::storage
