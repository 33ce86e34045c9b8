#pragma once

#include "http/server/server.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tobit::http::edge {

struct head_limits {
  std::size_t head_max, header_count_max, uri_max;
};

enum class framing : std::uint8_t { none, length, chunked };

/// A parsed request head and what it says about the body and the connection.
struct request_head {
  request incoming; ///< without body, address and time
  int minor_version = 1;
  framing body = framing::none;
  std::uint64_t content_length = 0;
  bool keep_alive = true;
  bool expects_continue = false;
};

/// Looks for the blank line that ends a head, in bytes that arrive in pieces; looks at each byte once. Bare line feeds
/// and bytes that cannot begin a request are noticed at once instead of after the time limit.
class head_scanner {
public:
  enum class verdict { incomplete, complete, malformed };

  /// `bytes` always begins at the same byte of the connection and only grows between calls.
  verdict scan(std::string_view bytes) noexcept;
  std::size_t begin() const noexcept {
    return begin_;
  }                                                  ///< start of the request line; blank lines before it are skipped
  std::size_t end() const noexcept { return line_; } ///< once complete: one past the head
  bool in_request_line() const noexcept { return line_ == begin_; }

private:
  std::size_t begin_ = 0, line_ = 0, seen_ = 0;
};

/// Parses a complete head, `begin` to `end` of the scanner, strictly by RFC 9112: whatever two programs could read in
/// two ways (obs-fold, duplicate Content-Length, Content-Length with Transfer-Encoding, space before a colon, bare CR,
/// NUL) is refused. Errors: validation_error, uri_too_long, headers_too_large, expectation_failed, not_implemented (a
/// transfer coding other than chunked).
result<request_head> parse_head(std::string_view head, const head_limits& limits);

} // namespace tobit::http::edge
