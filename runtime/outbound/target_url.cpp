#include "runtime/outbound/target_url.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace tobit::outbound {

namespace {

std::optional<std::string> part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK || !text) return std::nullopt;
  const std::unique_ptr<char, cleanup_with<curl_free>> owner(text);
  return std::string(text);
}

tl::unexpected<error> not_a_url(const std::string& why) {
  return fail(error_code::validation_error, "The URL " + why + "; write it as http://host/path or https://host/path.");
}

bool is_localhost(std::string_view host) noexcept { return host == "localhost" || host.ends_with(".localhost"); }

} // namespace

result<target_url> parse_target(std::string_view text) {
  if (text.size() > url_length_max) return not_a_url("is longer than " + std::to_string(url_length_max) + " bytes");
  if (text.find('\0') != text.npos) return not_a_url("contains a zero byte");
  target_url target;
  target.url.reset(curl_url());
  const auto outcome = curl_url_set(target.url.get(), CURLUPART_URL, std::string(text).c_str(), 0);
  if (outcome == CURLUE_UNSUPPORTED_SCHEME) return not_a_url("has a scheme that is not supported");
  if (outcome == CURLUE_BAD_SCHEME || outcome == CURLUE_MALFORMED_INPUT)
    return not_a_url("is not complete or not well formed");
  if (outcome != CURLUE_OK) return not_a_url(std::string("is not well formed (") + curl_url_strerror(outcome) + ')');
  const auto scheme = part_of(target.url.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return not_a_url("has a scheme that is not supported");
  if (part_of(target.url.get(), CURLUPART_USER) || part_of(target.url.get(), CURLUPART_PASSWORD))
    return not_a_url(
        "contains a user name or password, which would end up in logs; send them in the Authorization header");
  const auto host = part_of(target.url.get(), CURLUPART_HOST);
  const auto port = part_of(target.url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  if (!host || host->empty() || !port) return not_a_url("has no host");
  target.host = normal_host(host->front() == '[' ? std::string_view(*host).substr(1, host->size() - 2) : *host);
  target.port = static_cast<std::uint16_t>(std::strtoul(port->c_str(), nullptr, 10));
  if (target.port == 0) return not_a_url("has port 0");
  target.authority = normal_host(*host) + ':' + *port;
  return target;
}

error refusal(const target_url& target, std::string_view address) {
  const auto is_literal = address == target.host;
  return {error_code::address_refused,
          (is_literal ? "The address " + target.host
                      : "The host '" + target.host + "' leads to " + std::string(address) + ", which") +
              " is private or reserved; if it may be reached, add it to outbound.allow."};
}

result<void> check_target(const address_guard& guard, const target_url& target) {
  if (const auto ip = parse_ip(target.host)) {
    if (!guard.allows(*ip, target.port, target.host)) return fail(refusal(target, target.host));
  } else if (is_localhost(target.host)) {
    // Resolves to loopback by RFC 6761, whatever a name server says.
    const auto v4 = parse_ip("127.0.0.1"), v6 = parse_ip("::1");
    if (!guard.allows(*v4, target.port, target.host) && !guard.allows(*v6, target.port, target.host))
      return fail(refusal(target, "127.0.0.1"));
  }
  return {};
}

result<void> check_url(const guard_options& options, std::string_view url) {
  const auto guard = address_guard::make(options);
  if (!guard) return fail(guard.error());
  const auto target = parse_target(url);
  if (!target) return fail(target.error());
  return check_target(*guard, *target);
}

} // namespace tobit::outbound
