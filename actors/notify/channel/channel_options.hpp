#pragma once

#include "actors/notify/secret_reference.hpp"

#include <chrono>
#include <cstddef>

namespace tobit::notify {

/// How notices are handed over.
struct channel_options {
  secret_access secrets;
  std::chrono::milliseconds timeout{10'000};      ///< one attempt over HTTP
  std::chrono::milliseconds mail_timeout{30'000}; ///< one attempt over SMTP
  std::size_t response_max = 64u << 10;           ///< bytes of an answer; more is a failed attempt
};

} // namespace tobit::notify
