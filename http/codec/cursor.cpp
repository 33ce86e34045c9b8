#include "http/codec/cursor.hpp"

#include <sodium.h>

#include <vector>

namespace tobit::http {

namespace {
constexpr std::size_t cursor_length_max = 2'000;
constexpr int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
} // namespace

std::string write_cursor(const json& place) {
  const auto plain = to_text(place);
  std::string out(sodium_base64_encoded_len(plain.size(), variant), '\0');
  sodium_bin2base64(out.data(), out.size(), reinterpret_cast<const unsigned char*>(plain.data()), plain.size(),
                    variant);
  out.resize(out.find('\0'));
  return out;
}

result<json> read_cursor(std::string_view text, std::size_t size) {
  const auto refused = [] {
    return fail(error_code::validation_error,
                "The parameter 'cursor' is not one that this list gave out; start again without it.");
  };
  if (text.size() > cursor_length_max) return refused();
  std::vector<unsigned char> plain(text.size() + 1);
  std::size_t length = 0;
  if (sodium_base642bin(plain.data(), plain.size(), text.data(), text.size(), nullptr, &length, nullptr, variant) != 0)
    return refused();
  auto place = parse_json({reinterpret_cast<const char*>(plain.data()), length});
  if (!place || !place->is_array() || place->size() != size) return refused();
  return *place;
}

} // namespace tobit::http
