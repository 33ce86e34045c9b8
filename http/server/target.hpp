#pragma once

#include "http/server/server.hpp"

#include <string>
#include <string_view>

namespace tobit::http::edge {

/// Reads a request target (RFC 9112 §3.2) into `target`, `path` and `query` of `into`. Origin form, absolute form
/// (`http://host/path`, whose authority goes to `authority`) and `*` for OPTIONS are known. `%2F` becomes an ordinary
/// slash, and dot segments are removed after decoding, so that no spelling of `..` survives.
/// Errors: validation_error for unknown forms, bad escapes, NUL, control characters, what is not UTF-8.
result<void> read_target(std::string_view target, request& into, std::string& authority);

} // namespace tobit::http::edge
