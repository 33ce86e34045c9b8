// From "event sent" to "webhook arrived", seen from outside a real node: sends events at a steady rate and receives the
// webhooks of one rule. Usage: webhook_bench http://host:port TOKEN EVENTS_PER_SECOND SECONDS
#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using bench_clock = std::chrono::steady_clock;

std::int64_t nanos() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(bench_clock::now().time_since_epoch()).count();
}

int connect_to(const std::string& host, std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    std::perror("connect");
    std::exit(1);
  }
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

/// The length of the first complete message in `text` (head and Content-Length body), or 0.
std::size_t complete_message(std::string_view text) {
  const auto end = text.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  std::string head(text.substr(0, end));
  std::transform(head.begin(), head.end(), head.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto field = head.find("content-length:");
  const std::size_t body = field == std::string::npos ? 0 : std::strtoull(head.c_str() + field + 15, nullptr, 10);
  return text.size() >= end + 4 + body ? end + 4 + body : 0;
}

struct target {
  std::string host, token;
  std::uint16_t port = 0;
};

/// Sends one POST and returns the answer's status.
int post(int fd, const target& node, const std::string& path, const std::string& body) {
  std::string request = "POST " + path + " HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer " + node.token +
                        "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
                        "\r\n\r\n" + body;
  if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) return 0;
  std::string answer;
  char buffer[8192];
  while (complete_message(answer) == 0) {
    const auto got = ::recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0) return 0;
    answer.append(buffer, static_cast<std::size_t>(got));
  }
  return std::atoi(answer.c_str() + 9);
}

/// Receives webhooks on one thread and notes how long each took.
class receiver {
public:
  receiver() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 512);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    poll_ = ::epoll_create1(EPOLL_CLOEXEC);
    watch(listener_);
    thread_ = std::thread([this] { run(); });
  }
  ~receiver() {
    stop_ = true;
    thread_.join();
  }

  std::vector<double> latencies_ms() {
    std::lock_guard lock{guard_};
    return latencies_;
  }
  std::uint16_t port = 0;

private:
  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &event);
  }
  void run() {
    epoll_event events[64];
    while (!stop_) {
      const int count = ::epoll_wait(poll_, events, 64, 100);
      for (int i = 0; i < count; ++i) {
        const int fd = events[i].data.fd;
        if (fd != listener_) {
          read(fd);
          continue;
        }
        const int peer = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (peer >= 0) watch(peer);
      }
    }
  }
  void read(int fd) {
    auto& buffer = buffers_[fd];
    char chunk[16384];
    const auto got = ::recv(fd, chunk, sizeof chunk, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
      ::close(fd);
      buffers_.erase(fd);
      return;
    }
    if (got < 0) return;
    buffer.append(chunk, static_cast<std::size_t>(got));
    while (const auto size = complete_message(buffer)) {
      const auto field = buffer.find("\"sent_ns\":");
      if (field != std::string::npos) {
        const auto sent = std::strtoll(buffer.c_str() + field + 10, nullptr, 10);
        std::lock_guard lock{guard_};
        latencies_.push_back(static_cast<double>(nanos() - sent) / 1e6);
      }
      buffer.erase(0, size);
      constexpr std::string_view answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
      (void)!::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }

  int listener_ = -1, poll_ = -1;
  std::atomic<bool> stop_{false};
  std::thread thread_;
  std::map<int, std::string> buffers_;
  std::mutex guard_;
  std::vector<double> latencies_;
};

} // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: %s http://host:port TOKEN EVENTS_PER_SECOND SECONDS\n", argv[0]);
    return 2;
  }
  const std::string url = argv[1];
  const auto colon = url.rfind(':');
  const target node{url.substr(7, colon - 7), argv[2], static_cast<std::uint16_t>(std::atoi(url.c_str() + colon + 1))};
  const int rate = std::atoi(argv[3]), duration = std::atoi(argv[4]);
  constexpr int senders = 8;

  receiver hooks;
  const int first = connect_to(node.host, node.port);
  const auto status = post(
      first, node, "/cep/rules",
      R"({"rule_name":"latency","max_firings_per_minute":1000000,"trigger_type":"event","trigger_spec":{"field":"sent_ns","op":">","value":0},)"
      R"("action_spec":{"type":"webhook","method":"POST","endpoint":"http://127.0.0.1:)" +
          std::to_string(hooks.port) + R"(/hook"}})");
  if (status != 200 && status != 201) {
    std::fprintf(stderr, "creating the rule was answered with %d\n", status);
    return 1;
  }
  std::atomic<int> sent{0}, refused{0};
  std::vector<std::thread> threads;
  for (int s = 0; s < senders; ++s)
    threads.emplace_back([&, s] {
      const int fd = connect_to(node.host, node.port);
      const auto pause = std::chrono::nanoseconds{1'000'000'000LL * senders / rate};
      auto next = bench_clock::now() + pause * s / senders;
      for (int i = 0; i < rate * duration / senders; ++i, next += pause) {
        std::this_thread::sleep_until(next);
        const auto body = R"({"type":"bench","data":{"sent_ns":)" + std::to_string(nanos()) + "}}";
        const int answer = post(fd, node, "/cep/events/ingest", body);
        ++(answer == 200 || answer == 202 ? sent : refused);
      }
      ::close(fd);
    });
  for (auto& thread : threads) thread.join();
  for (int i = 0; i < 100 && hooks.latencies_ms().size() < static_cast<std::size_t>(sent); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  auto latencies = hooks.latencies_ms();
  std::sort(latencies.begin(), latencies.end());
  if (latencies.size() < static_cast<std::size_t>(sent) || refused > 0)
    std::fprintf(stderr, "%d sent, %d refused, %zu webhooks arrived\n", sent.load(), refused.load(), latencies.size());
  if (latencies.empty()) return 1;
  const auto at = [&](double share) {
    return latencies[static_cast<std::size_t>(share * static_cast<double>(latencies.size() - 1))];
  };
  std::printf("bench event to webhook at %d/s, p50 %.3f ms\n", rate, at(0.5));
  std::printf("bench event to webhook at %d/s, p99 %.3f ms less 20\n", rate, at(0.99));
  std::printf("bench webhooks missing %d count\n", sent.load() - static_cast<int>(latencies.size()));
  return refused == 0 ? 0 : 1;
}
