#pragma once

#include <string>
#include <string_view>

namespace tobit::storage {

/// The URL without user, password and parameters, for messages and logs: `postgresql://host:port/name`.
std::string without_secrets(std::string_view url);

/// `text` with every occurrence of the URL's password (as written, and percent-decoded) replaced by `***`.
std::string redact(std::string text, std::string_view url);

/// Adds `name=value` to the URL's parameters unless it is there already.
std::string with_parameter(std::string url, std::string_view name, std::string_view value);

} // namespace tobit::storage
