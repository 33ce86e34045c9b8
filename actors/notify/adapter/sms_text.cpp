#include "actors/notify/adapter/sms_text.hpp"

#include <algorithm>

namespace tobit::notify {

namespace {

struct character {
  char32_t code = 0;
  std::size_t bytes = 1;
};

/// The character at `at`; what is no UTF-8 counts as one strange character of one byte.
character read(std::string_view text, std::size_t at) noexcept {
  const auto first = static_cast<unsigned char>(text[at]);
  const std::size_t bytes = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  if (at + bytes > text.size()) return {0xfffd, 1};
  if (bytes == 1) return {first < 0x80 ? char32_t{first} : char32_t{0xfffd}, 1};
  char32_t code = first & (0x7fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) code = (code << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3fu);
  return {code, bytes};
}

/// GSM 03.38 (ETSI TS 123 038 §6.2.1), besides ASCII's letters, digits and common marks.
constexpr std::u32string_view gsm_further = U"£¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";
constexpr std::u32string_view gsm_twice = U"^{}\\[~]|€\f";
constexpr std::u32string_view gsm_lacks = U"`";

/// Septets of the character; 0: not in the alphabet.
std::size_t septets(char32_t c) noexcept {
  if (gsm_twice.find(c) != gsm_twice.npos) return 2;
  if (gsm_further.find(c) != gsm_further.npos || c == U'\n' || c == U'\r') return 1;
  return c >= 0x20 && c < 0x7f && gsm_lacks.find(c) == gsm_lacks.npos ? 1 : 0;
}

std::size_t length_of(char32_t c, bool gsm) noexcept { return gsm ? septets(c) : c > 0xffff ? 2 : 1; }

} // namespace

bool is_gsm_text(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    const auto c = read(text, at);
    if (septets(c.code) == 0) return false;
    at += c.bytes;
  }
  return true;
}

std::size_t sms_length(std::string_view text) noexcept {
  const auto gsm = is_gsm_text(text);
  std::size_t length = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto c = read(text, at);
    length += length_of(c.code, gsm);
    at += c.bytes;
  }
  return length;
}

std::size_t sms_parts(std::string_view text) noexcept {
  const auto gsm = is_gsm_text(text);
  const auto length = sms_length(text);
  if (length <= (gsm ? 160u : 70u)) return 1;
  const std::size_t part = gsm ? 153 : 67;
  return (length + part - 1) / part;
}

std::string cut_sms(std::string_view text, std::size_t length_max) {
  if (sms_length(text) <= length_max) return std::string(text);
  constexpr std::string_view mark = "...";
  const auto gsm = is_gsm_text(text);
  const auto room = length_max > mark.size() ? length_max - mark.size() : 0;
  std::size_t length = 0, at = 0;
  while (at < text.size()) {
    const auto c = read(text, at);
    const auto more = length_of(c.code, gsm);
    if (length + more > room) break;
    length += more;
    at += c.bytes;
  }
  return std::string(text.substr(0, at)).append(mark);
}

} // namespace tobit::notify
