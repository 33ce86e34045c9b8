#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tobit::http::edge {

/// Character classes of RFC 9110 §5 and RFC 3986, one bit each.
enum character_class : std::uint8_t {
  token_character = 1,  ///< tchar: methods and header names
  value_character = 2,  ///< field values: visible, space, tab, obs-text; no other control character
  target_character = 4, ///< request targets: visible without '#', and bytes from 0x80 (checked as UTF-8 later)
};

constexpr std::array<std::uint8_t, 256> make_character_table() {
  std::array<std::uint8_t, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (alnum || (c != 0 && std::string_view{"!#$%&'*+-.^_`|~"}.find(static_cast<char>(c)) != std::string_view::npos))
      table[c] |= token_character;
    if (c == '\t' || (c >= 0x20 && c != 0x7f)) table[c] |= value_character;
    if (c > 0x20 && c != 0x7f && c != '#') table[c] |= target_character;
  }
  return table;
}
inline constexpr auto character_table = make_character_table();

constexpr bool is_of(char c, character_class wanted) noexcept {
  return (character_table[static_cast<unsigned char>(c)] & wanted) != 0;
}
constexpr bool all_of(std::string_view text, character_class wanted) noexcept {
  for (const char c : text)
    if (!is_of(c, wanted)) return false;
  return true;
}

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

/// The value of one hexadecimal digit, or -1.
constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Without spaces and tabs at both ends.
constexpr std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Takes the next element of a comma separated list off `list`; empty elements are skipped. False at the end.
constexpr bool next_element(std::string_view& list, std::string_view& element) noexcept {
  while (!list.empty()) {
    const auto comma = list.find(',');
    element = trimmed(list.substr(0, comma));
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    if (!element.empty()) return true;
  }
  return false;
}

} // namespace tobit::http::edge
