#pragma once

#include "schemas/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tobit::http::edge {

/// Takes a message body out of the byte stream: a known length, or chunked (RFC 9112 §7.1). Chunk extensions and
/// trailers are checked, bounded and dropped.
class body_decoder {
public:
  body_decoder() = default; ///< of an empty body: done
  static body_decoder of_length(std::uint64_t bytes);
  static body_decoder chunked(std::size_t body_max);

  /// Appends to `body` what `bytes` hold of it and returns how many bytes were used: all, or fewer once done.
  /// Errors: validation_error for bad chunk framing, payload_too_large beyond `body_max`.
  result<std::size_t> feed(std::string_view bytes, std::string& body);
  bool done() const noexcept { return state_ == state::done; }

private:
  enum class state : std::uint8_t { length, size, extension, size_end, data, data_return, data_end, trailer, done };

  result<void> step(char c);
  result<void> size_digit(char c);
  result<void> trailer_character(char c);

  state state_ = state::done;
  std::uint64_t left_ = 0; ///< of the body, or of the chunk
  std::size_t body_max_ = 0, body_ = 0;
  std::size_t digits_ = 0, line_ = 0, trailers_ = 0;
  char previous_ = 0;
};

} // namespace tobit::http::edge
