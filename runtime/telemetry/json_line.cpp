#include "runtime/telemetry/json_line.hpp"

#include <algorithm>

namespace tobit::telemetry {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD"; // U+FFFD

/// Length of the UTF-8 sequence at `at`, or 0 if it is not one (also overlong forms, surrogates, beyond U+10FFFF).
std::size_t sequence_length(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[at + k]); };
  const auto follows = [&](std::size_t k) { return (byte(k) & 0xC0) == 0x80; };
  const auto c = byte(0);
  const auto left = text.size() - at;
  if (c < 0x80) return 1;
  if (c < 0xC2) return 0;
  if (c < 0xE0) return left >= 2 && follows(1) ? 2 : 0;
  if (c < 0xF0) {
    if (left < 3 || !follows(1) || !follows(2)) return 0;
    return (c == 0xE0 && byte(1) < 0xA0) || (c == 0xED && byte(1) >= 0xA0) ? 0 : 3;
  }
  if (c > 0xF4 || left < 4 || !follows(1) || !follows(2) || !follows(3)) return 0;
  return (c == 0xF0 && byte(1) < 0x90) || (c == 0xF4 && byte(1) >= 0x90) ? 0 : 4;
}

void append_control(std::string& out, unsigned char c) {
  constexpr const char* digits = "0123456789abcdef";
  switch (c) {
  case '\n':
    out += "\\n";
    return;
  case '\r':
    out += "\\r";
    return;
  case '\t':
    out += "\\t";
    return;
  default:
    break;
  }
  out += "\\u00";
  out += digits[c >> 4];
  out += digits[c & 15];
}

} // namespace

void append_escaped(std::string& out, std::string_view text, std::size_t bytes_max) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto length = sequence_length(text, at);
    if (at + std::max<std::size_t>(length, 1) > bytes_max) {
      out += "…";
      return;
    }
    const auto c = static_cast<unsigned char>(text[at]);
    if (length == 0)
      out += replacement;
    else if (c == '"' || c == '\\')
      out += '\\', out += text[at];
    else if (c < 0x20 || c == 0x7F)
      append_control(out, c);
    else
      out.append(text, at, length);
    at += std::max<std::size_t>(length, 1);
  }
}

void json_line::name(std::string_view n) {
  if (out_.size() > 1) out_.push_back(',');
  out_.push_back('"');
  append_escaped(out_, n, 100);
  out_ += "\":";
}

json_line& json_line::text(std::string_view n, std::string_view value, std::size_t bytes_max) {
  name(n);
  out_.push_back('"');
  append_escaped(out_, value, bytes_max);
  out_.push_back('"');
  return *this;
}

json_line& json_line::bare(std::string_view n, std::string_view value) {
  name(n);
  out_ += value;
  return *this;
}

} // namespace tobit::telemetry
