#pragma once

#include "runtime/outbound/address_guard.hpp"
#include "runtime/outbound/curl_handles.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace tobit::outbound {

/// Longest URL, in bytes.
inline constexpr std::size_t url_length_max = 8'192;

/// An http(s) URL, read by the same parser that will connect to it, so that what is checked is what is used.
struct target_url {
  url_handle url;
  std::string host; ///< normalised, without brackets; IPv4 in dotted form however it was written
  std::uint16_t port = 0;
  std::string authority; ///< host:port, for messages and per-host limits
};

/// Errors: validation_error with a sentence (not absolute, other scheme, credentials inside, too long, malformed).
result<target_url> parse_target(std::string_view url);

/// Refuses what is certain without a lookup: literal addresses and `localhost`. Errors: address_refused.
result<void> check_target(const address_guard& guard, const target_url& target);

/// The refusal of an address, in words.
error refusal(const target_url& target, std::string_view address);

} // namespace tobit::outbound
