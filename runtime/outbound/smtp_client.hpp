#pragma once

#include "schemas/error.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace tobit::outbound {

/// How a connection to a mail server is protected.
enum class mail_security {
  starttls, ///< begins in the clear and must turn to TLS before anything is said (RFC 3207); usual on port 587
  tls,      ///< TLS from the first byte (RFC 8314); usual on port 465
  none      ///< in the clear: only for a server on the own machine or network, and without a password
};

/// One mail, handed to one server.
struct mail_request {
  std::string host; ///< a name or an address, without a port
  std::uint16_t port = 587;
  mail_security security = mail_security::starttls;
  std::string user, password;                ///< empty user: without signing in
  std::string from;                          ///< the envelope's addresses, bare: `name@host`, ASCII
  std::vector<std::string> to;               ///< 1 to 100
  std::string message;                       ///< RFC 5322 with CRLF at line ends, at most `mail_bytes_max`
  std::chrono::milliseconds timeout{30'000}; ///< everything, from the name lookup to the confirmation
};

/// Largest mail, in bytes.
inline constexpr std::size_t mail_bytes_max = 1u << 20;

/// A server took a mail on.
struct mail_receipt {
  std::string reply; ///< its confirmation, which usually holds its queue id; bounded
  std::vector<std::pair<std::string, std::string>> refused; ///< recipients that it did not take, and why
  std::chrono::microseconds took{0};
};

/// How handing over failed.
struct mail_failure {
  error why;
  /// The server's reply that ended it (RFC 5321 §4.2); 0: there was none. 4xx: later perhaps; 5xx: never.
  int reply_code = 0;
  /// The mail went out completely and no reply came: the server may have taken it or not.
  bool outcome_unknown = false;
};

/// The one way out for mail (SMTP, RFC 5321). The rules of `http_client` hold: every address is checked before it is
/// connected to, certificates are verified, everything is bounded by time and number. Each mail has a connection of its
/// own and is never sent twice by itself. Thread-safe.
class smtp_client {
public:
  using callback = std::function<void(tl::expected<mail_receipt, mail_failure>)>;

  virtual ~smtp_client() = default;
  /// Calls `done` exactly once, on a thread of the client or, if refused, the caller's: it must not block or throw; it
  /// may send again. A mail that the
  /// server took for at least one recipient is a success. Errors: address_refused, validation_error (malformed
  /// request), connection_error, deadline_exceeded, configuration_error (user or password refused),
  /// external_service_error (refused by the server, or no STARTTLS), overloaded, unavailable (stopping).
  virtual void send(mail_request request, callback done) = 0;
};

} // namespace tobit::outbound
