#include "runtime/outbound/address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>

namespace tobit::outbound {

namespace {

ip_address v4(const std::uint8_t* four) noexcept {
  ip_address ip;
  std::copy_n(four, 4, ip.bytes.begin());
  return ip;
}

bool all_zero(const std::uint8_t* from, std::size_t count) noexcept {
  return std::all_of(from, from + count, [](std::uint8_t b) { return b == 0; });
}

ip_address v6(const std::uint8_t* sixteen) noexcept {
  if (all_zero(sixteen, 10) && sixteen[10] == 0xff && sixteen[11] == 0xff) return v4(sixteen + 12);
  ip_address ip;
  ip.is_v6 = true;
  std::copy_n(sixteen, 16, ip.bytes.begin());
  return ip;
}

bool same_bits(const std::uint8_t* a, const std::uint8_t* b, int bits) noexcept {
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (!std::equal(a, a + whole, b)) return false;
  const auto mask = static_cast<std::uint8_t>(0xff00u >> (bits % 8));
  return bits % 8 == 0 || ((a[whole] ^ b[whole]) & mask) == 0;
}

struct v4_range {
  std::uint8_t start[4];
  int bits;
};
constexpr v4_range not_public_v4[] = {
    {{0, 0, 0, 0}, 8},        // this network
    {{10, 0, 0, 0}, 8},       // private
    {{100, 64, 0, 0}, 10},    // carrier-grade NAT
    {{127, 0, 0, 0}, 8},      // loopback
    {{168, 63, 129, 16}, 32}, // the platform service of Azure, reachable only from inside
    {{169, 254, 0, 0}, 16},   // link-local, metadata services
    {{172, 16, 0, 0}, 12},    // private
    {{192, 0, 0, 0}, 24},     // protocol assignments, metadata service of Oracle
    {{192, 0, 2, 0}, 24},     // documentation
    {{192, 88, 99, 0}, 24},   // 6to4 relays
    {{192, 168, 0, 0}, 16},   // private
    {{198, 18, 0, 0}, 15},    // benchmarking
    {{198, 51, 100, 0}, 24},  // documentation
    {{203, 0, 113, 0}, 24},   // documentation
    {{224, 0, 0, 0}, 4},      // multicast
    {{240, 0, 0, 0}, 4},      // reserved, broadcast
};

bool is_public_v4(const std::uint8_t* four) noexcept {
  return std::none_of(std::begin(not_public_v4), std::end(not_public_v4),
                      [four](const v4_range& range) { return same_bits(four, range.start, range.bits); });
}

bool is_public_v6(const std::uint8_t* b) noexcept {
  // NAT64 (RFC 6052) leads to the IPv4 address in its last four bytes.
  constexpr std::uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
  if (std::equal(nat64, nat64 + 12, b)) return is_public_v4(b + 12);
  // Only 2000::/3 is global unicast; this leaves out ::/8 with loopback and IPv4-compatible addresses, 64:ff9b:1::/48,
  // 100::/64, unique-local, link-local, site-local and multicast addresses.
  if ((b[0] & 0xe0) != 0x20) return false;
  if (b[0] == 0x20 && b[1] == 0x01) {
    if (b[2] < 0x02) return false;                  // 2001::/23: Teredo, benchmarking, ORCHID
    if (b[2] == 0x0d && b[3] == 0xb8) return false; // documentation
  }
  if (b[0] == 0x3f && b[1] == 0xff && b[2] < 0x10) return false;          // documentation, RFC 9637
  if (b[0] == 0x20 && b[1] == 0x02 && !is_public_v4(b + 2)) return false; // 6to4
  // ISATAP (RFC 5214) leads to the IPv4 address in its last four bytes.
  const auto isatap = (b[8] & 0xfd) == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe;
  return !isatap || is_public_v4(b + 12);
}

} // namespace

std::optional<ip_address> parse_ip(std::string_view text) {
  if (text.size() > 1 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  const auto colon = text.find(':') != text.npos;
  if (colon) text = text.substr(0, text.find('%'));
  const std::string terminated(text);
  std::uint8_t raw[16];
  if (inet_pton(colon ? AF_INET6 : AF_INET, terminated.c_str(), raw) != 1 ||
      terminated.size() != std::strlen(terminated.c_str()))
    return std::nullopt;
  return colon ? v6(raw) : v4(raw);
}

std::optional<ip_address> ip_of(const sockaddr& socket_address) noexcept {
  std::uint8_t raw[16];
  if (socket_address.sa_family == AF_INET) {
    std::memcpy(raw, &reinterpret_cast<const sockaddr_in&>(socket_address).sin_addr, 4);
    return v4(raw);
  }
  if (socket_address.sa_family == AF_INET6) {
    std::memcpy(raw, &reinterpret_cast<const sockaddr_in6&>(socket_address).sin6_addr, 16);
    return v6(raw);
  }
  return std::nullopt;
}

std::string to_string(const ip_address& ip) {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(ip.is_v6 ? AF_INET6 : AF_INET, ip.bytes.data(), text, sizeof text);
}

bool is_public(const ip_address& ip) noexcept {
  return ip.is_v6 ? is_public_v6(ip.bytes.data()) : is_public_v4(ip.bytes.data());
}

bool ip_network::contains(const ip_address& ip) const noexcept {
  return ip.is_v6 == start.is_v6 && same_bits(ip.bytes.data(), start.bytes.data(), prefix_bits);
}

std::optional<ip_network> parse_network(std::string_view text) {
  const auto slash = text.find('/');
  const auto ip = parse_ip(text.substr(0, slash));
  if (!ip) return std::nullopt;
  const auto longest = ip->is_v6 ? 128 : 32;
  if (slash == text.npos) return ip_network{*ip, longest};
  int bits = -1;
  const auto digits = text.substr(slash + 1);
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (failure != std::errc{} || end != digits.data() + digits.size() || bits < 0 || bits > longest) return std::nullopt;
  return ip_network{*ip, bits};
}

} // namespace tobit::outbound
