#include "http/server/body_decoder.hpp"

#include "http/server/characters.hpp"

#include <algorithm>

namespace tobit::http::edge {
namespace {

constexpr std::size_t size_digits_max = 15;
constexpr std::size_t extension_max = 256;
constexpr std::size_t trailers_max = 8192;

auto refuse() { return fail(error_code::validation_error, "The chunked body is not framed as RFC 9112 says."); }

} // namespace

body_decoder body_decoder::of_length(std::uint64_t bytes) {
  body_decoder made;
  made.left_ = bytes;
  made.state_ = bytes > 0 ? state::length : state::done;
  return made;
}

body_decoder body_decoder::chunked(std::size_t body_max) {
  body_decoder made;
  made.body_max_ = body_max;
  made.state_ = state::size;
  return made;
}

result<std::size_t> body_decoder::feed(std::string_view bytes, std::string& body) {
  std::size_t used = 0;
  while (used < bytes.size() && state_ != state::done) {
    if (state_ == state::length || state_ == state::data) {
      const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - used));
      body.append(bytes, used, piece);
      used += piece;
      left_ -= piece;
      if (left_ == 0) state_ = state_ == state::length ? state::done : state::data_return;
    } else if (auto taken = step(bytes[used++]); !taken) {
      return fail(taken.error());
    }
  }
  return used;
}

result<void> body_decoder::step(char c) {
  switch (state_) {
  case state::size:
    return size_digit(c);
  case state::extension:
    if (c == '\r')
      state_ = state::size_end;
    else if (!is_of(c, value_character) || ++line_ > extension_max)
      return refuse();
    return {};
  case state::size_end:
    if (c != '\n') return refuse();
    state_ = left_ > 0 ? state::data : state::trailer;
    digits_ = line_ = 0;
    return {};
  case state::data_return:
    if (c != '\r') return refuse();
    state_ = state::data_end;
    return {};
  case state::data_end:
    if (c != '\n') return refuse();
    state_ = state::size;
    return {};
  default:
    return trailer_character(c);
  }
}

result<void> body_decoder::size_digit(char c) {
  if (const int value = hex_value(c); value >= 0) {
    if (++digits_ > size_digits_max) return fail(error_code::payload_too_large);
    left_ = left_ * 16 + static_cast<std::uint64_t>(value);
    if (left_ > body_max_ - body_) return fail(error_code::payload_too_large);
    return {};
  }
  if (digits_ == 0) return refuse();
  body_ += static_cast<std::size_t>(left_);
  if (c == '\r')
    state_ = state::size_end;
  else if (c == ';' || c == ' ' || c == '\t')
    state_ = state::extension;
  else
    return refuse();
  return {};
}

/// The lines after the last chunk, up to and including a blank one.
result<void> body_decoder::trailer_character(char c) {
  if (++trailers_ > trailers_max) return fail(error_code::headers_too_large);
  const bool after_return = previous_ == '\r';
  previous_ = c;
  if (after_return != (c == '\n')) return refuse();
  if (c == '\n') {
    if (line_ == 0) state_ = state::done;
    line_ = 0;
  } else if (c != '\r') {
    if (!is_of(c, value_character)) return refuse();
    ++line_;
  }
  return {};
}

} // namespace tobit::http::edge
