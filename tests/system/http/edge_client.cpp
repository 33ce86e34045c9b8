#include "edge_client.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>

namespace tobit::http::tests {
namespace {

bool wait_for(int handle, short events, std::chrono::milliseconds time = patience) {
  pollfd wanted{handle, events, 0};
  return ::poll(&wanted, 1, static_cast<int>(time.count())) == 1;
}

response text_answer(int status, std::string body) { return {status, {}, "text/plain", std::move(body)}; }

} // namespace

body_limit test_handler::limit_for(std::string_view, std::string_view) const { return limit; }

void test_handler::handle(request incoming, responder answer) {
  const auto path = incoming.path;
  if (path == "/throw") throw std::runtime_error("the handler's own trouble");
  if (path == "/drop") return;
  if (path == "/echo") return answer.send(text_answer(200, std::move(incoming.body)));
  if (path == "/size") return answer.send(text_answer(200, std::to_string(incoming.body.size())));
  if (path == "/long") return answer.send(text_answer(200, std::string(10'000, 'x')));
  if (path == "/big") return answer.send(text_answer(200, std::string(8'000'000, 'x')));
  if (path == "/hold") {
    {
      const std::lock_guard lock{mutex};
      waiting.push_back(std::move(answer));
    }
    return held.raise();
  }
  if (path == "/stream") {
    response head;
    head.content_type = "text/event-stream";
    auto stream = answer.start_stream(std::move(head));
    if (!stream) return;
    stream->on_closed([this] { closed.raise(); });
    {
      const std::lock_guard lock{mutex};
      streams.push_back(std::move(stream));
    }
    return streaming.raise();
  }
  {
    const std::lock_guard lock{mutex};
    last = std::move(incoming);
  }
  answer.send({200, {}, "application/json", R"({"message":"hello"})"});
}

response test_handler::refuse(const error& why) const {
  return text_answer(describe(why.code).http_status, std::string{describe(why.code).name});
}

void test_handler::release_all() {
  std::vector<responder> all;
  {
    const std::lock_guard lock{mutex};
    all.swap(waiting);
  }
  for (auto& one : all) one.send(text_answer(200, "released"));
}

std::uint16_t edge_fixture::start() {
  auto started = start_server(options, handler);
  if (!started) throw std::runtime_error(std::string{started.error().text()});
  running = std::move(*started);
  return running->port();
}

raw_client::raw_client() : handle_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}

raw_client::raw_client(std::uint16_t port, int receive_buffer) : raw_client() {
  if (receive_buffer > 0) ::setsockopt(handle_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  connect(port);
}

void raw_client::connect(std::uint16_t port) {
  // Pieces must leave as they are written, not when the kernel finds it worthwhile.
  const int at_once = 1;
  ::setsockopt(handle_.get(), IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(handle_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) handle_.reset();
}

bool raw_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::send(handle_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0)
      bytes.remove_prefix(static_cast<std::size_t>(count));
    else if (errno != EAGAIN || !wait_for(handle_.get(), POLLOUT))
      return false;
  }
  return true;
}

std::size_t raw_client::send_some(std::string_view bytes) {
  const auto count = ::send(handle_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

bool raw_client::fill() {
  char bytes[65536];
  if (!wait_for(handle_.get(), POLLIN)) return false;
  const auto count = ::recv(handle_.get(), bytes, sizeof bytes, 0);
  if (count <= 0) return false;
  input_.append(bytes, static_cast<std::size_t>(count));
  return true;
}

answer raw_client::receive(bool head_only) {
  answer got;
  auto end = input_.find("\r\n\r\n");
  for (; end == std::string::npos; end = input_.find("\r\n\r\n"))
    if (!fill()) return got;
  const auto head = input_.substr(0, end + 2);
  input_.erase(0, end + 4);
  for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
    const auto line = head.substr(at, head.find("\r\n", at) - at);
    const auto colon = line.find(": ");
    auto name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    got.headers[name] = line.substr(colon + 2);
    at += line.size() + 2;
  }
  const auto length = got.headers.find("content-length");
  const std::size_t size = head_only || length == got.headers.end() ? 0 : std::stoul(length->second);
  while (input_.size() < size)
    if (!fill()) return got;
  got.body = input_.substr(0, size);
  input_.erase(0, size);
  got.status = std::stoi(head.substr(9, 3));
  return got;
}

bool raw_client::receive_until(std::string_view text) {
  for (;;) {
    if (const auto at = input_.find(text); at != std::string::npos) {
      input_.erase(0, at + text.size());
      return true;
    }
    if (!fill()) return false;
  }
}

bool raw_client::is_closed_by_peer() {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (fill()) input_.clear();
  return std::chrono::steady_clock::now() < until;
}

bool raw_client::has_input_within(std::chrono::milliseconds time) const {
  return wait_for(handle_.get(), POLLIN, time);
}

void raw_client::finish_writing() { ::shutdown(handle_.get(), SHUT_WR); }

std::string get(std::string_view path, std::string_view headers) {
  return "GET " + std::string{path} + " HTTP/1.1\r\nHost: h\r\n" + std::string{headers} + "\r\n";
}

std::string post(std::string_view path, std::string_view body, std::string_view headers) {
  return "POST " + std::string{path} + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + std::string{headers} + "\r\n" + std::string{body};
}

} // namespace tobit::http::tests
