#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "schemas/error.hpp"

namespace tobit::outbound {

/// One HTTP request that leaves this machine (or goes to an allowed address on it).
struct http_request {
  std::string method = "GET";
  std::string url; ///< absolute, http or https
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::chrono::milliseconds timeout{5'000}; ///< everything: name lookup, connect, send, receive
  std::size_t response_max = 1u << 20;      ///< bytes of body (after decompression); beyond it the answer is refused
};

struct http_response {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers; ///< names in lower case
  std::string body;
  std::chrono::microseconds took{0};
  /// The value of a header, or empty.
  std::string_view header(std::string_view lower_case_name) const noexcept;
};

/// The one way out for HTTP. Every address is checked after name resolution and again on the connected socket, so that
/// neither redirects (not followed) nor changing DNS answers reach a refused address. Thread-safe, bounded.
class http_client {
public:
  virtual ~http_client() = default;
  /// Calls `done` exactly once, on the client's thread: it must not block. Errors: address_refused, connection_error,
  /// deadline_exceeded, external_service_error (unusable answer, too large), overloaded (too many under way),
  /// validation_error (not an http(s) URL).
  virtual void send(http_request request, std::function<void(result<http_response>)> done) = 0;
};

/// Which addresses may be reached besides public ones.
struct guard_options {
  std::vector<std::string> allow; ///< "127.0.0.1", "127.0.0.1:9090", "10.0.0.0/8", "[::1]:8080", "host.example"
};

struct http_client_options {
  guard_options guard;
  std::size_t in_flight_max = 2'000;
  std::size_t connections_per_host = 32;
  std::string user_agent = "tobit";
};

/// A client on libcurl's multi interface with one thread of its own. Errors: configuration_error (malformed allow entry).
result<std::unique_ptr<http_client>> make_http_client(const http_client_options& options);

/// True if the textual IP address may be reached: public, or on the allow list. Loopback, private, link-local (also
/// 169.254.169.254), unique-local, multicast, unspecified, IPv4-mapped and -embedded forms of these are refused.
bool address_allowed(const guard_options& guard, std::string_view ip, std::uint16_t port, std::string_view host);

/// Checks what can be checked without a lookup when a definition is saved: scheme, syntax, literal addresses.
/// Errors: validation_error, address_refused.
result<void> check_url(const guard_options& guard, std::string_view url);

} // namespace tobit::outbound
