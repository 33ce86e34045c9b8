#pragma once

#include "schemas/error.hpp"

#include <string>
#include <sys/socket.h>

namespace tobit::cluster {

/// A numeric address and port, IPv4 or IPv6.
class socket_address {
public:
  /// `127.0.0.1:4370`, `[::1]:4370`. Names are not looked up: that could block. Errors: validation_error.
  static result<socket_address> parse(const std::string& text);
  static socket_address of_peer(int fd);   ///< of the other end of a connection
  static socket_address of_socket(int fd); ///< of this end

  bool loopback() const noexcept;
  std::string host() const;
  std::string text() const;
  const sockaddr* raw() const noexcept { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const noexcept { return size_; }
  int family() const noexcept { return storage_.ss_family; }

private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

/// A listening socket that neither blocks nor is inherited. Errors: configuration_error with the reason.
result<int> listen_at(const socket_address& address);
/// A socket that is connecting. Errors: connection_error.
result<int> begin_connect(const socket_address& address);
/// Whether a `begin_connect` that became writable succeeded; empty: yes, else the reason.
std::string connect_failure(int fd);
/// No delays, and an unanswered peer is given up after `silence_ms`.
void tune_link_socket(int fd, int silence_ms) noexcept;

} // namespace tobit::cluster
