#pragma once

#include <arpa/inet.h>
#include <atomic>
#include <functional>
#include <mutex>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace tobit::test {

/// One accepted connection of a `local_server`. Reads end after 10 s at the latest.
class connection {
public:
  explicit connection(int socket) : socket_(socket) {}

  /// The next request, headers and body; empty when the client has closed the connection.
  std::string read_request() {
    while (true) {
      const auto head = pending_.find("\r\n\r\n");
      if (head != pending_.npos) {
        const auto total = head + 4 + body_length(pending_.substr(0, head));
        if (pending_.size() >= total) {
          auto request = pending_.substr(0, total);
          pending_.erase(0, total);
          return request;
        }
      }
      char piece[16'384];
      const auto got = recv(socket_, piece, sizeof piece, 0);
      if (got <= 0) return {};
      pending_.append(piece, static_cast<std::size_t>(got));
    }
  }

  /// The next line without its end; nothing when the client has closed the connection.
  std::optional<std::string> read_line() {
    while (true) {
      if (const auto end = pending_.find("\r\n"); end != pending_.npos) {
        auto line = pending_.substr(0, end);
        pending_.erase(0, end + 2);
        return line;
      }
      char piece[16'384];
      const auto got = recv(socket_, piece, sizeof piece, 0);
      if (got <= 0) return std::nullopt;
      pending_.append(piece, static_cast<std::size_t>(got));
    }
  }

  /// False when the client has gone.
  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  bool answer(int status, std::string_view body, std::string_view headers = {}) {
    return write("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) +
                 "\r\n" + std::string(headers) + "\r\n" + std::string(body));
  }

private:
  static std::size_t body_length(const std::string& head) {
    const auto at = head.find("Content-Length: ");
    return at == head.npos ? 0 : std::stoul(head.substr(at + 16));
  }

  int socket_;
  std::string pending_;
};

/// A server on a free port of 127.0.0.1; every connection is served by `serve` on a thread of its own and closed after.
class local_server {
public:
  explicit local_server(std::function<void(connection&)> serve) : serve_(std::move(serve)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 1'024) != 0)
      std::abort();
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }

  ~local_server() {
    stop_ = true;
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      std::lock_guard lock{guard_};
      for (int s : sockets_) shutdown(s, SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
    for (int s : sockets_) close(s);
    close(listener_);
  }

  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url(const std::string& path = "/") const { return "http://" + address() + path; }
  int accepted() const { return accepted_; }

private:
  void accept_all() {
    while (!stop_) {
      const int s = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (s < 0) return;
      const timeval patience{10, 0};
      setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
      ++accepted_;
      std::lock_guard lock{guard_};
      sockets_.push_back(s);
      threads_.emplace_back([this, s] {
        connection c(s);
        serve_(c);
        shutdown(s, SHUT_RDWR); // closed at the end, so that its number is not used again while it is in the list
      });
    }
  }

  std::function<void(connection&)> serve_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<int> accepted_{0};
  std::mutex guard_;
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

} // namespace tobit::test
