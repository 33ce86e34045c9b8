#pragma once

#include <string>
#include <string_view>

namespace tobit::notify {

/// HMAC-SHA256 (RFC 2104) in lower-case hexadecimal digits.
std::string hmac_sha256(std::string_view key, std::string_view text);

/// RFC 4648 with padding.
std::string base64(std::string_view bytes);

} // namespace tobit::notify
