#include "runtime/outbound/address_guard.hpp"

#include <algorithm>
#include <charconv>

namespace tobit::outbound {

namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_host(std::string_view written, std::string_view normal) noexcept {
  if (!written.empty() && written.back() == '.') written.remove_suffix(1);
  return std::equal(written.begin(), written.end(), normal.begin(), normal.end(),
                    [](char a, char b) { return lower(a) == b; });
}

bool is_host_name(std::string_view text) noexcept {
  const auto fits = [](char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  };
  // A name whose last label is a number is an address written in an unusual way, or a mistake.
  const auto last = text.substr(text.rfind('.') + 1);
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), fits) && !last.empty() &&
         !std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<std::uint16_t> parse_port(std::string_view text) noexcept {
  std::uint16_t port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failure != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

} // namespace

std::string normal_host(std::string_view host) {
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  std::string out(host);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

std::optional<address_guard::entry> address_guard::parse(std::string_view text) {
  entry e;
  auto address = text;
  const auto bracket = text.rfind(']');
  const auto colon = text.rfind(':');
  // An IPv6 address has colons of its own: a port can only follow its bracket.
  const auto has_port = colon != text.npos && (text.find(':') == colon || (bracket != text.npos && bracket < colon));
  if (has_port) {
    const auto port = parse_port(text.substr(colon + 1));
    if (!port) return std::nullopt;
    e.port = *port;
    address = text.substr(0, colon);
  }
  if (address.size() > 1 && address.front() == '[' && address.back() == ']') {
    address = address.substr(1, address.size() - 2);
    if (address.find(':') == address.npos) return std::nullopt;
  }
  if ((e.network = parse_network(address))) return e;
  e.host = normal_host(address);
  if (!is_host_name(e.host)) return std::nullopt;
  return e;
}

result<address_guard> address_guard::make(const guard_options& options) {
  address_guard guard;
  for (const auto& text : options.allow) {
    auto parsed = parse(text);
    if (!parsed)
      return fail(error_code::configuration_error,
                  "outbound.allow: '" + text +
                      "' is not an address; write a host name, an IP address or a CIDR range, each with an optional "
                      ":port, e.g. 127.0.0.1:9090, 10.0.0.0/8, [::1]:8080, prometheus.example.");
    guard.entries_.push_back(std::move(*parsed));
  }
  return guard;
}

bool address_guard::allows(const ip_address& ip, std::uint16_t port, std::string_view host) const noexcept {
  return is_public(ip) || std::any_of(entries_.begin(), entries_.end(), [&](const entry& e) {
           if (e.port != 0 && e.port != port) return false;
           return e.network ? e.network->contains(ip) : same_host(host, e.host);
         });
}

bool address_allowed(const guard_options& guard, std::string_view ip, std::uint16_t port, std::string_view host) {
  const auto compiled = address_guard::make(guard);
  const auto address = parse_ip(ip);
  return compiled && address && compiled->allows(*address, port, host);
}

} // namespace tobit::outbound
