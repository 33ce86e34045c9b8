#include "http/server/socket.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace tobit::http::edge {
namespace {

constexpr int backlog = 1024;

struct endpoint {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

bool read_address(const std::string& address, std::uint16_t port, endpoint& into) {
  sockaddr_in v4{};
  if (inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&into.storage, &v4, sizeof v4);
    into.size = sizeof v4;
    return true;
  }
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) != 1) return false;
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  std::memcpy(&into.storage, &v6, sizeof v6);
  into.size = sizeof v6;
  return true;
}

std::string text_of(const sockaddr_storage& peer) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (peer.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &peer, sizeof v4);
    inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  } else {
    sockaddr_in6 v6;
    std::memcpy(&v6, &peer, sizeof v6);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
      inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text.data(), text.size());
    else
      inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  }
  return text.data();
}

void enable(int fd, int level, int option) {
  const int on = 1;
  ::setsockopt(fd, level, option, &on, sizeof on);
}

std::uint16_t bound_port(int fd) {
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size) != 0) return 0;
  in_port_t port = 0;
  // Both families keep the port at the same place.
  std::memcpy(&port, reinterpret_cast<const char*>(&own) + offsetof(sockaddr_in, sin_port), sizeof port);
  return ntohs(port);
}

} // namespace

void file_handle::reset(int fd) noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

result<listening_socket> listen_on(const std::string& address, std::uint16_t port) {
  const auto failed = [&](const std::string& what) {
    return fail(error_code::configuration_error,
                "Cannot serve on " + address + " port " + std::to_string(port) + ": " + what);
  };
  endpoint where;
  if (!read_address(address, port, where)) return failed("that is not a numeric IPv4 or IPv6 address.");
  listening_socket made;
  made.handle.reset(::socket(where.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int fd = made.handle.get();
  if (fd < 0) return failed(std::generic_category().message(errno) + ".");
  enable(fd, SOL_SOCKET, SO_REUSEADDR);
  if (where.storage.ss_family == AF_INET6) {
    const int only_v6 = 0;
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof only_v6);
  }
  if (::bind(fd, where.get(), where.size) != 0 || ::listen(fd, backlog) != 0)
    return failed(std::generic_category().message(errno) +
                  ". Choose another address or stop the program that uses it.");
  made.port = bound_port(fd);
  return made;
}

accept_outcome accept_from(int listener, accepted_socket& into) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  into.handle.reset(::accept4(listener, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (into.handle) {
    enable(into.handle.get(), IPPROTO_TCP, TCP_NODELAY);
    into.address = text_of(peer);
    return accept_outcome::accepted;
  }
  switch (errno) {
  case EAGAIN:
    return accept_outcome::none_waiting;
  case EMFILE:
  case ENFILE:
  case ENOBUFS:
  case ENOMEM:
    return accept_outcome::out_of_handles;
  default:
    return accept_outcome::gone;
  }
}

} // namespace tobit::http::edge
