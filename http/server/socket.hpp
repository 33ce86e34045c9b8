#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace tobit::http::edge {

/// Owns one file descriptor.
class file_handle {
public:
  file_handle() = default;
  explicit file_handle(int fd) noexcept : fd_(fd) {}
  file_handle(file_handle&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  file_handle& operator=(file_handle&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~file_handle() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  void reset(int fd = -1) noexcept;

private:
  int fd_ = -1;
};

/// A listening, nonblocking socket and the port it got. `address` is a numeric IPv4 or IPv6 address; `::` takes both.
/// Errors: configuration_error with the reason.
struct listening_socket {
  file_handle handle;
  std::uint16_t port = 0;
};
result<listening_socket> listen_on(const std::string& address, std::uint16_t port);

/// A client that was just accepted.
struct accepted_socket {
  file_handle handle;
  std::string address; ///< of the peer; IPv4 also where it came in mapped to IPv6
};

enum class accept_outcome : std::uint8_t {
  accepted,
  none_waiting,
  gone,          ///< this one failed; the next may be fine
  out_of_handles ///< process or system limit: accepting again at once would spin
};
accept_outcome accept_from(int listener, accepted_socket& into);

} // namespace tobit::http::edge
