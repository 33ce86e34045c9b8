#pragma once

#include "runtime/outbound/http_client.hpp"
#include "schemas/time.hpp"

#include <chrono>

namespace tobit::outbound {

/// Longest pause that a server's wish is followed for.
inline constexpr std::chrono::milliseconds retry_after_max = std::chrono::hours{1};

/// How long the server asks to wait: the header Retry-After as seconds or as an HTTP date (RFC 9110 §10.2.3), at most
/// `retry_after_max`; 0 if it is absent, malformed or in the past.
std::chrono::milliseconds retry_after(const http_response& response, utc_time now);

} // namespace tobit::outbound
