// The outbound HTTP client against a receiver in the same process: the most it carries, and what it adds at a steady
// rate.
#include "runtime/outbound/http_client.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace tobit;
using bench_clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::string_view body = R"({"rule":{"id":"018f3a3e-0000-7000-8000-000000000000","version":3},"value":12.5})";

/// Answers every POST with 200, on one thread.
class receiver {
public:
  receiver() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 1'024) != 0)
      std::abort();
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/hook";
    poll_ = ::epoll_create1(EPOLL_CLOEXEC);
    watch(listener_);
    thread_ = std::thread([this] { run(); });
  }
  ~receiver() {
    stop_ = true;
    thread_.join();
  }
  const std::string& url() const { return url_; }

private:
  void watch(int fd) {
    epoll_event event{EPOLLIN, {.fd = fd}};
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &event);
  }

  void run() {
    epoll_event events[64];
    while (!stop_) {
      const int count = ::epoll_wait(poll_, events, 64, 100);
      for (int i = 0; i < count; ++i) {
        if (events[i].data.fd == listener_)
          watch(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC));
        else
          serve(events[i].data.fd);
      }
    }
  }

  void serve(int fd) {
    char piece[16'384];
    const auto got = ::recv(fd, piece, sizeof piece, 0);
    if (got <= 0) {
      pending_.erase(fd);
      ::close(fd);
      return;
    }
    auto& text = pending_[fd].append(piece, static_cast<std::size_t>(got));
    const auto head = text.find("\r\n\r\n");
    if (head == text.npos || text.size() < head + 4 + body.size()) return;
    text.clear();
    constexpr std::string_view answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
  }

  int listener_ = -1, poll_ = -1;
  std::string url_;
  std::atomic<bool> stop_{false};
  std::map<int, std::string> pending_;
  std::thread thread_;
};

/// Keeps latencies and lets the sender wait until everything is answered.
class tally {
public:
  void sent() { ++open_; }
  void answered(bench_clock::time_point since, bool fine) {
    std::lock_guard lock{guard_};
    micros_.push_back(std::chrono::duration<double, std::micro>(bench_clock::now() - since).count());
    if (!fine) ++failed_;
    if (--open_ == 0) all_back_.notify_all();
  }
  void wait() {
    std::unique_lock lock{guard_};
    all_back_.wait_for(lock, 30s, [this] { return open_ == 0; });
  }
  std::size_t count() const { return micros_.size(); }
  int failed() const { return failed_; }
  double percentile_ms(double share) {
    std::sort(micros_.begin(), micros_.end());
    return micros_[static_cast<std::size_t>(share * static_cast<double>(micros_.size() - 1))] / 1'000;
  }

private:
  std::mutex guard_;
  std::condition_variable all_back_;
  std::vector<double> micros_;
  std::atomic<int> open_{0};
  int failed_ = 0;
};

outbound::http_request request_to(const std::string& url) {
  outbound::http_request request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"Content-Type", "application/json"},
                     {"Idempotency-Key", "018f3a3e-0000-7000-8000-000000000000-0"}};
  request.body = body;
  return request;
}

void send_one(
    outbound::http_client& out, const std::string& url, tally& all, std::function<void()> then = [] {}) {
  all.sent();
  out.send(request_to(url), [&all, since = bench_clock::now(), then](const result<outbound::http_response>& response) {
    const auto fine = response && response->status == 200;
    then();
    all.answered(since, fine);
  });
}

/// Always `width` requests under way.
void most(outbound::http_client& out, const std::string& url, int width) {
  tally all;
  const auto begun = bench_clock::now();
  const auto end = begun + 4s;
  std::function<void()> next = [&] {
    if (bench_clock::now() < end) send_one(out, url, all, next);
  };
  for (int i = 0; i < width; ++i) next();
  all.wait();
  const auto seconds = std::chrono::duration<double>(bench_clock::now() - begun).count();
  std::printf("bench outgoing requests, %d under way %.0f req/s more 2000\n", width,
              static_cast<double>(all.count()) / seconds);
  std::printf("bench outgoing requests, %d under way, p99 %.2f ms\n", width, all.percentile_ms(0.99));
  if (all.failed()) std::fprintf(stderr, "%d requests failed\n", all.failed());
}

/// `rate` requests a second, whatever the answers do.
void steady(outbound::http_client& out, const std::string& url, int rate) {
  tally all;
  const auto begun = bench_clock::now();
  const int total = rate * 4;
  for (int i = 0; i < total; ++i) {
    std::this_thread::sleep_until(begun + std::chrono::nanoseconds(1s) * i / rate);
    send_one(out, url, all);
  }
  all.wait();
  std::printf("bench outgoing requests at %d/s, p50 %.2f ms\n", rate, all.percentile_ms(0.5));
  std::printf("bench outgoing requests at %d/s, p99 %.2f ms less 5\n", rate, all.percentile_ms(0.99));
  if (all.failed()) std::fprintf(stderr, "%d requests failed\n", all.failed());
}

} // namespace

int main() {
  receiver target;
  outbound::http_client_options options;
  options.guard.allow = {"127.0.0.1"};
  auto out = outbound::make_http_client(options).value();
  for (const int width : {1, 64, 1'000}) most(*out, target.url(), width);
  for (const int rate : {1'000, 2'000}) steady(*out, target.url(), rate);
}
