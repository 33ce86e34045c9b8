#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr;

namespace tobit::outbound {

/// An IPv4 or IPv6 address. IPv4-mapped IPv6 addresses are kept as the IPv4 address they stand for, because that is
/// where a connection to them goes.
struct ip_address {
  bool is_v6 = false;
  std::array<std::uint8_t, 16> bytes{}; ///< network order; IPv4 uses the first four

  bool operator==(const ip_address&) const = default;
};

/// Reads dotted decimal IPv4 with four parts, or IPv6 (brackets and zone allowed); nothing for other spellings.
std::optional<ip_address> parse_ip(std::string_view text);

/// The address of an AF_INET or AF_INET6 socket address; nothing for other families.
std::optional<ip_address> ip_of(const sockaddr& socket_address) noexcept;

std::string to_string(const ip_address& ip);

/// True if the address belongs to the public internet. Everything the IANA special-purpose registries list as not
/// globally reachable is refused, multicast and reserved space too, and every form that embeds such an IPv4 address:
/// https://www.iana.org/assignments/iana-ipv4-special-registry,
/// https://www.iana.org/assignments/iana-ipv6-special-registry
bool is_public(const ip_address& ip) noexcept;

/// A range of addresses.
struct ip_network {
  ip_address start;
  int prefix_bits = 0; ///< 0–32 or 0–128

  bool contains(const ip_address& ip) const noexcept;
};

/// Reads `address/bits`, or an address alone as the network that holds just it.
std::optional<ip_network> parse_network(std::string_view text);

} // namespace tobit::outbound
