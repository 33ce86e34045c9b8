#include "schemas/ids.hpp"

#include <chrono>
#include <cstring>
#include <random>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace tobit {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";

void append_hex(std::string& out, const std::uint8_t* bytes, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(hex_digits[bytes[i] >> 4]);
    out.push_back(hex_digits[bytes[i] & 15]);
  }
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// xoshiro256** by Blackman and Vigna (2018): https://prng.di.unimi.it
class generator {
public:
  generator() {
    std::random_device device;
    for (auto& word : state_) word = (std::uint64_t{device()} << 32) | device();
    state_[0] |= 1; // never the all-zero state
  }
  std::uint64_t next() noexcept {
    const auto result = rotate(state_[1] * 5, 7) * 9;
    const auto t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

private:
  static std::uint64_t rotate(std::uint64_t x, int k) noexcept { return (x << k) | (x >> (64 - k)); }
  std::uint64_t state_[4];
};

std::uint64_t random_word() {
  thread_local generator g;
  return g.next();
}

} // namespace

std::string to_string(const entity_ref& ref) { return ref.kind + '/' + ref.tenant.value + '/' + ref.key; }

std::uint64_t stable_hash(const entity_ref& ref) noexcept {
  auto hash = XXH3_64bits(ref.kind.data(), ref.kind.size());
  hash = XXH3_64bits_withSeed(ref.tenant.value.data(), ref.tenant.value.size(), hash);
  return XXH3_64bits_withSeed(ref.key.data(), ref.key.size(), hash);
}

std::string to_string(const trace_id& id) {
  std::string out;
  out.reserve(32);
  append_hex(out, id.bytes.data(), id.bytes.size());
  return out;
}

std::string to_string(span_id id) {
  std::string out(16, '0');
  for (std::size_t i = 0; i < 16; ++i) out[15 - i] = hex_digits[(id.value >> (4 * i)) & 15];
  return out;
}

std::optional<trace_id> parse_trace_id(std::string_view text) {
  trace_id id;
  std::size_t nibbles = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '-' && text.size() == 36 && (i == 8 || i == 13 || i == 18 || i == 23)) continue;
    int value = hex_value(text[i]);
    if (value < 0 || nibbles == 32) return std::nullopt;
    auto& byte = id.bytes[nibbles / 2];
    byte = static_cast<std::uint8_t>((byte << 4) | value);
    ++nibbles;
  }
  if (nibbles != 32 || !id) return std::nullopt;
  return id;
}

std::optional<span_id> parse_span_id(std::string_view text) {
  if (text.size() != 16) return std::nullopt;
  span_id id;
  for (char c : text) {
    int value = hex_value(c);
    if (value < 0) return std::nullopt;
    id.value = (id.value << 4) | static_cast<std::uint64_t>(value);
  }
  if (!id) return std::nullopt;
  return id;
}

trace_id new_trace_id() {
  trace_id id;
  std::uint64_t words[2] = {random_word() | 1, random_word()};
  std::memcpy(id.bytes.data(), words, sizeof words);
  return id;
}

span_id new_span_id() { return span_id{random_word() | 1}; }

std::string new_uuid() {
  using namespace std::chrono;
  const auto millis =
      static_cast<std::uint64_t>(duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
  std::uint8_t bytes[16];
  const std::uint64_t high = (millis << 16) | (random_word() & 0xffff);
  const std::uint64_t low = random_word();
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::uint8_t>(high >> (56 - 8 * i));
    bytes[8 + i] = static_cast<std::uint8_t>(low >> (56 - 8 * i));
  }
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x70);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
  std::string out;
  out.reserve(36);
  append_hex(out, bytes, 4);
  for (auto [from, count] : {std::pair{4, 2}, {6, 2}, {8, 2}, {10, 6}}) {
    out.push_back('-');
    append_hex(out, bytes + from, static_cast<std::size_t>(count));
  }
  return out;
}

} // namespace tobit
