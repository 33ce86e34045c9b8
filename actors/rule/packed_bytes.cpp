#include "actors/rule/packed_bytes.hpp"

#include <array>
#include <bit>

namespace tobit::rule {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr auto digits = [] {
  std::array<std::int8_t, 256> out{};
  for (auto& digit : out) digit = -1;
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    out[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  return out;
}();

} // namespace

void packer::real(double value) { fixed(std::bit_cast<std::uint64_t>(value)); }

std::uint64_t unpacker::count() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (in_.empty()) break;
    const auto byte = static_cast<unsigned char>(in_.front());
    in_.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return good_ ? value : 0;
  }
  good_ = false;
  return 0;
}

std::int64_t unpacker::whole() {
  const auto value = count();
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

std::uint64_t unpacker::fixed() {
  if (in_.size() < 8) good_ = false;
  if (!good_) return 0;
  std::uint64_t value = 0;
  for (unsigned i = 0; i < 8; ++i) value |= std::uint64_t{static_cast<unsigned char>(in_[i])} << (8 * i);
  in_.remove_prefix(8);
  return value;
}

double unpacker::real() { return std::bit_cast<double>(fixed()); }

std::string_view unpacker::text() {
  const auto size = count();
  if (size > in_.size()) good_ = false;
  if (!good_) return {};
  const auto out = in_.substr(0, size);
  in_.remove_prefix(size);
  return out;
}

std::string to_base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4, '=');
  std::size_t o = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto left = bytes.size() - i;
    std::uint32_t word = std::uint32_t{static_cast<unsigned char>(bytes[i])} << 16;
    if (left > 1) word |= std::uint32_t{static_cast<unsigned char>(bytes[i + 1])} << 8;
    if (left > 2) word |= std::uint32_t{static_cast<unsigned char>(bytes[i + 2])};
    out[o++] = alphabet[word >> 18];
    out[o++] = alphabet[(word >> 12) & 63];
    if (left > 1) out[o] = alphabet[(word >> 6) & 63];
    ++o;
    if (left > 2) out[o] = alphabet[word & 63];
    ++o;
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::uint32_t word = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      const bool pad = i + j >= text.size() - padding;
      const int digit = pad ? 0 : digits[static_cast<unsigned char>(text[i + j])];
      if (digit < 0) return std::nullopt;
      word = (word << 6) | static_cast<std::uint32_t>(digit);
    }
    out.push_back(static_cast<char>(word >> 16));
    out.push_back(static_cast<char>(word >> 8));
    out.push_back(static_cast<char>(word));
  }
  out.resize(out.size() - padding);
  return out;
}

} // namespace tobit::rule
