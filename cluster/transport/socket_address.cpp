#include "cluster/transport/socket_address.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

namespace tobit::cluster {

namespace {

constexpr int backlog = 256;

int open_socket(int family) { return ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

std::string why() { return std::strerror(errno); }

} // namespace

result<socket_address> socket_address::parse(const std::string& text) {
  const auto refuse = [&] {
    return fail(error_code::validation_error,
                "'" + text + "' is not a numeric address with a port, like 10.0.0.7:4370 or [fd00::7]:4370.");
  };
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon + 1 == text.size()) return refuse();
  std::string host = text.substr(0, colon);
  const std::string port = text.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return refuse(); // IPv6 without brackets
  }
  if (host.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos ||
      std::stoul(port) > 65'535)
    return refuse();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0 || !found) return refuse();
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  socket_address address;
  std::memcpy(&address.storage_, found->ai_addr, found->ai_addrlen);
  address.size_ = found->ai_addrlen;
  return address;
}

socket_address socket_address::of_peer(int fd) {
  socket_address address;
  address.size_ = sizeof address.storage_;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address.storage_), &address.size_) != 0) address.size_ = 0;
  return address;
}

socket_address socket_address::of_socket(int fd) {
  socket_address address;
  address.size_ = sizeof address.storage_;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage_), &address.size_) != 0) address.size_ = 0;
  return address;
}

bool socket_address::loopback() const noexcept {
  if (storage_.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&storage_);
    return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
  }
  if (storage_.ss_family != AF_INET6) return false;
  const auto& bytes = reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&bytes) || (IN6_IS_ADDR_V4MAPPED(&bytes) && bytes.s6_addr[12] == 127);
}

std::string socket_address::host() const {
  std::array<char, NI_MAXHOST> host{};
  if (size_ == 0 || ::getnameinfo(raw(), size_, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST) != 0) return {};
  return host.data();
}

std::string socket_address::text() const {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (size_ == 0 || ::getnameinfo(raw(), size_, host.data(), host.size(), port.data(), port.size(),
                                  NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return "unknown";
  const bool brackets = storage_.ss_family == AF_INET6;
  return (brackets ? "[" : "") + std::string(host.data()) + (brackets ? "]:" : ":") + port.data();
}

result<int> listen_at(const socket_address& address) {
  const int fd = open_socket(address.family());
  const int one = 1;
  if (fd >= 0) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (fd >= 0 && ::bind(fd, address.raw(), address.size()) == 0 && ::listen(fd, backlog) == 0) return fd;
  const auto reason = why();
  if (fd >= 0) ::close(fd);
  return fail(error_code::configuration_error, "The cluster cannot listen at " + address.text() + ": " + reason +
                                                   ". Choose an address of this machine and a free port.");
}

result<int> begin_connect(const socket_address& address) {
  const int fd = open_socket(address.family());
  if (fd >= 0 && (::connect(fd, address.raw(), address.size()) == 0 || errno == EINPROGRESS)) return fd;
  const auto reason = why();
  if (fd >= 0) ::close(fd);
  return fail(error_code::connection_error, "No connection to " + address.text() + ": " + reason + ".");
}

std::string connect_failure(int fd) {
  int code = 0;
  socklen_t size = sizeof code;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) != 0) code = errno;
  return code == 0 ? std::string{} : std::string(std::strerror(code));
}

void tune_link_socket(int fd, int silence_ms) noexcept {
  const int one = 1;
  const unsigned silence = silence_ms > 0 ? static_cast<unsigned>(silence_ms) : 0u;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence, sizeof silence);
}

} // namespace tobit::cluster
