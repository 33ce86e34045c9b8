#pragma once

#include "schemas/error.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tobit::outbound {

/// One HTTP request that leaves this machine (or goes to an allowed address on it).
struct http_request {
  std::string method = "GET"; ///< a token of RFC 9110, not CONNECT or TRACE
  std::string url;            ///< absolute, http or https, at most 8 KB, without user name and password
  /// At most 100 and 64 KB. Those that frame the message (Content-Length, Transfer-Encoding, Connection, …) are
  /// refused.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::chrono::milliseconds timeout{5'000}; ///< everything: name lookup, connect, send, receive
  std::size_t response_max = 1u << 20;      ///< bytes of body (after decompression); beyond it the answer is refused
  /// The guard lets this request through although the address is private. Only for URLs that this program made from an
  /// address of its own (its HTTP edge, a configured collector), never for what a user wrote.
  bool trusted = false;
  /// If set: becomes true when the connection stands and the request begins to leave, so that after a failure one knows
  /// whether the receiver may have got it. Such a request has a connection of its own, for what a kept connection lost
  /// would be sent again without a word.
  std::shared_ptr<std::atomic<bool>> departed{};
};

/// Bytes of all header lines of an answer; beyond it the answer is refused.
inline constexpr std::size_t response_headers_max = 64u << 10;

struct http_response {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers; ///< names in lower case
  std::string body;
  std::chrono::microseconds took{0};
  /// The value of a header, or empty.
  std::string_view header(std::string_view lower_case_name) const noexcept;
};

/// The one way out for HTTP. Every address is checked after name resolution and again on the connected socket, so that
/// neither redirects (not followed) nor changing DNS answers reach a refused address. Proxies of the environment are
/// not used, certificates are verified. Thread-safe, bounded.
class http_client {
public:
  /// Ends what is under way with `unavailable`; what its callbacks send at this point may get no answer.
  virtual ~http_client() = default;
  /// Calls `done` exactly once, on the client's thread: it must not block or throw; it may send again. Any status that
  /// the server answers is a response, also 3xx (redirects are not followed). Errors: address_refused, connection_error
  /// (no answer, or it broke off), deadline_exceeded, external_service_error (unusable answer, too large), overloaded
  /// (too many under way), validation_error (not an http(s) URL, malformed method or header), unavailable (stopping).
  virtual void send(http_request request, std::function<void(result<http_response>)> done) = 0;
};

/// Which addresses may be reached besides public ones.
struct guard_options {
  std::vector<std::string> allow; ///< "127.0.0.1", "127.0.0.1:9090", "10.0.0.0/8", "[::1]:8080", "host.example"
};

struct http_client_options {
  guard_options guard;
  std::size_t in_flight_max = 2'000;          ///< requests accepted and not finished; beyond it: overloaded
  std::size_t in_flight_per_host_max = 1'000; ///< the same to one host and port, so that one that hangs leaves room
  std::size_t connections_max = 256;          ///< open at the same time; what has none yet waits, its timeout running
  std::size_t connections_per_host = 32;
  std::string user_agent = "tobit";
  std::string ca_file{}; ///< PEM: certificate authorities that are trusted besides the system's; empty: none
};

/// A client on libcurl's multi interface with one thread of its own. Errors: configuration_error (malformed allow
/// entry).
result<std::unique_ptr<http_client>> make_http_client(const http_client_options& options);

/// True if the textual IP address may be reached: public, or on the allow list. Loopback, private, link-local (also
/// 169.254.169.254), unique-local, multicast, unspecified, IPv4-mapped and -embedded forms of these are refused.
bool address_allowed(const guard_options& guard, std::string_view ip, std::uint16_t port, std::string_view host);

/// Checks what can be checked without a lookup when a definition is saved: scheme, syntax, literal addresses.
/// Errors: validation_error, address_refused.
result<void> check_url(const guard_options& guard, std::string_view url);

} // namespace tobit::outbound
