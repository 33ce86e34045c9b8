#include "actors/event/attribute_rules.hpp"

#include "schemas/json.hpp"
#include "schemas/percent_encoding.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>

namespace tobit::event {

namespace {

constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

error wrong(std::string_view name, std::string_view sentence) {
  return {error_code::validation_error, "The attribute '" + std::string(name) + "' " + std::string(sentence),
          pointer_append("", name)};
}

bool is_scheme(std::string_view text) noexcept {
  const auto alpha = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (text.empty() || !alpha(text.front())) return false;
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return alpha(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'; });
}

} // namespace

bool is_attribute_name(std::string_view name, const event_limits& limits) noexcept {
  if (name.empty() || name.size() > limits.name_size_max || name == "data") return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

bool is_attribute_text(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return false;
    // U+0080–U+009F are C2 80–C2 9F in UTF-8.
    if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) return false;
  }
  return true;
}

std::optional<error> check_text(std::string_view name, std::string_view text, std::size_t size_max) {
  if (text.empty()) return wrong(name, "must not be empty.");
  if (text.size() > size_max) return wrong(name, "is longer than " + std::to_string(size_max) + " bytes.");
  if (!is_attribute_text(text)) return wrong(name, "holds control characters.");
  return {};
}

std::optional<error> check_uri(std::string_view name, std::string_view text, bool absolute, std::size_t size_max) {
  if (auto bad = check_text(name, text, size_max)) return bad;
  if (text.find_first_of(" <>\"{}|\\^`") != std::string_view::npos)
    return wrong(name, "is not a URI; encode spaces and the characters <>\"{}|\\^` with percent signs.");
  const auto colon = text.find(':');
  if (absolute && (colon == std::string_view::npos || !is_scheme(text.substr(0, colon))))
    return wrong(name, "is not an absolute URI; begin with a scheme such as 'https:'.");
  return {};
}

bool is_base64(std::string_view text) noexcept {
  if (text.size() % 4 != 0) return false;
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  return text.find_first_not_of(base64_digits) == std::string_view::npos;
}

std::string to_base64(std::string_view raw) {
  std::string out;
  out.reserve((raw.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < raw.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < raw.size() ? static_cast<unsigned char>(raw[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      out.push_back(i + k <= raw.size() ? base64_digits[group >> (18 - 6 * k) & 63u] : '=');
  }
  return out;
}

std::optional<std::string> from_header_value(std::string_view text) {
  auto out = percent_decoded(text);
  if (!simdjson::validate_utf8(out.data(), out.size())) return {};
  return out;
}

} // namespace tobit::event
