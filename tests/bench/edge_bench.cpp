// The HTTP edge alone: a handler that says hello, wrk beside it on the same machine, plain cpp-httplib for comparison,
// and what parsing one request costs each way. CPU time per request is steadier than throughput on a machine that
// others use.
//   edge_bench [seconds]                measures, so long for each figure, and prints `bench NAME VALUE UNIT …`
//   edge_bench ours [reactors] [workers] | httplib [threads]    serves, prints its port, ends with standard input
#include "http/server/head_parser.hpp"
#include "http/server/response_writer.hpp"
#include "http/server/server.hpp"

#include <httplib.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <iostream>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace {

constexpr std::string_view hello = R"({"message":"hello"})";

class hello_handler final : public tobit::http::request_handler {
public:
  tobit::http::body_limit limit_for(std::string_view, std::string_view) const override { return {}; }
  void handle(tobit::http::request, tobit::http::responder answer) override {
    tobit::http::response said;
    said.body = hello;
    answer.send(std::move(said));
  }
  tobit::http::response refuse(const tobit::error& why) const override {
    return {tobit::describe(why.code).http_status, {}, "text/plain", std::string{why.text()}};
  }
};

void wait_for_end_of_input() {
  for (std::string line; std::getline(std::cin, line);) {
  }
}

int serve_ours(std::size_t reactors, std::size_t workers) {
  hello_handler handler;
  tobit::http::server_options options;
  options.reactors = reactors;
  options.workers = workers;
  auto server = tobit::http::start_server(options, handler);
  if (!server) {
    std::cerr << server.error().text() << '\n';
    return 1;
  }
  std::cout << (*server)->port() << std::endl;
  wait_for_end_of_input();
  (*server)->stop(std::chrono::milliseconds{100});
  return 0;
}

int serve_httplib(std::size_t threads) {
  httplib::Server server;
  server.new_task_queue = [threads] { return new httplib::ThreadPool(threads); };
  server.set_tcp_nodelay(true);
  server.set_keep_alive_max_count(1'000'000);
  server.set_keep_alive_timeout(75);
  int listener = -1;
  server.set_socket_options([&](int fd) { listener = fd; });
  server.Get("/hello", [](const httplib::Request&, httplib::Response& said) {
    said.set_content(hello.data(), hello.size(), "application/json");
  });
  const int port = server.bind_to_any_port("127.0.0.1");
  ::listen(listener, 1024); // its own backlog of 5 would measure the kernel's retries
  std::cout << port << std::endl;
  std::thread serving{[&] { server.listen_after_bind(); }};
  wait_for_end_of_input();
  std::_Exit(0); // its stop waits for idle connections
}

/// What one wrk run against one server gave.
struct measurement {
  double rate = 0, p99_ms = 0, cpu_us = 0; ///< requests per second; per request: server's user and system time
};

double number_after(const std::string& text, std::string_view label) {
  const auto at = text.find(label);
  return at == std::string::npos ? 0 : std::strtod(text.c_str() + at + label.size(), nullptr);
}

double milliseconds_after(const std::string& text, std::string_view label) {
  const auto at = text.find(label);
  if (at == std::string::npos) return 0;
  char* unit = nullptr;
  const double value = std::strtod(text.c_str() + at + label.size(), &unit);
  return unit[0] == 'u' ? value / 1000 : unit[0] == 's' ? value * 1000 : value;
}

std::string output_of(const std::string& command) {
  std::string text;
  std::array<char, 4096> bytes;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (!pipe) return text;
  while (const auto count = std::fread(bytes.data(), 1, bytes.size(), pipe)) text.append(bytes.data(), count);
  ::pclose(pipe);
  return text;
}

/// Runs this program as a server while wrk asks it for `seconds`.
measurement measure(std::vector<std::string> serve, int clients, int seconds) {
  int to_child[2], from_child[2];
  if (::pipe2(to_child, O_CLOEXEC) != 0 || ::pipe2(from_child, O_CLOEXEC) != 0) return {};
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(to_child[0], STDIN_FILENO);
    ::dup2(from_child[1], STDOUT_FILENO);
    std::vector<char*> arguments;
    for (auto& one : serve) arguments.push_back(one.data());
    arguments.push_back(nullptr);
    ::execv("/proc/self/exe", arguments.data());
    std::_Exit(127);
  }
  std::array<char, 16> port{};
  [[maybe_unused]] const auto got = ::read(from_child[0], port.data(), port.size() - 1);
  const auto text =
      output_of("wrk -t1 -c" + std::to_string(clients) + " -d" + std::to_string(seconds) +
                "s --latency --timeout 10s http://127.0.0.1:" + std::to_string(std::atoi(port.data())) + "/hello");
  ::close(to_child[1]);
  ::close(to_child[0]);
  ::close(from_child[0]);
  ::close(from_child[1]);
  rusage used{};
  int status = 0;
  ::wait4(child, &status, 0, &used);
  const double cpu = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
                     static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
  const auto in_at = text.find(" requests in");
  const auto line = in_at == std::string::npos ? std::string::npos : text.rfind('\n', in_at);
  const double requests = line == std::string::npos ? 1 : std::strtod(text.c_str() + line, nullptr);
  return {number_after(text, "Requests/sec:"), milliseconds_after(text, "99% "), cpu / std::max(requests, 1.0)};
}

void print(const std::string& name, double value, const char* unit, const std::string& target = {}) {
  std::cout << "bench " << name << ' ' << value << ' ' << unit << (target.empty() ? "" : " ") << target << std::endl;
}

/// A request as browsers send it; without Accept-Encoding, since cpp-httplib would start brotli at its slowest level,
/// for 600 us, even for an answer of 19 bytes.
const std::string browser_request =
    "GET /cep/rules?limit=20&cursor=abc HTTP/1.1\r\nHost: localhost:8080\r\nConnection: keep-alive\r\n"
    "Accept: application/json\r\nAccept-Language: en-US,en;q=0.9,ko;q=0.8\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 "
    "Safari/537.36\r\n"
    "Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl\r\n"
    "X-Request-ID: 0b0f7a2e-7d1c-4a6b-9a38-2f6a6f7e1d11\r\n\r\n";

/// CPU time, so that the machine's other users do not count.
double thread_nanoseconds() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) * 1e9 + static_cast<double>(used.tv_nsec);
}

template <class Action>
double nanoseconds_each(Action action) {
  constexpr int rounds = 50'000;
  const auto begin = thread_nanoseconds();
  for (int i = 0; i < rounds; ++i) action();
  return (thread_nanoseconds() - begin) / rounds;
}

/// cpp-httplib's parser and writer over a stream in memory, as an edge built on `process_request` would use them.
class httplib_parser : public httplib::Server {
public:
  httplib_parser() {
    set_pre_routing_handler([](const httplib::Request&, httplib::Response& said) {
      said.set_content(hello.data(), hello.size(), "application/json");
      return HandlerResponse::Handled;
    });
  }
  void parse(const std::string& bytes) {
    memory_stream in{bytes};
    bool closed = false;
    process_request(in, false, closed, nullptr);
  }

private:
  class memory_stream final : public httplib::Stream {
  public:
    explicit memory_stream(const std::string& bytes) : bytes_(bytes) {}
    bool is_readable() const override { return true; }
    bool is_writable() const override { return true; }
    ssize_t read(char* into, std::size_t size) override {
      const auto count = bytes_.copy(into, size, at_);
      at_ += count;
      return static_cast<ssize_t>(count);
    }
    ssize_t write(const char* from, std::size_t size) override {
      written_.append(from, size);
      return static_cast<ssize_t>(size);
    }
    void get_remote_ip_and_port(std::string& ip, int& port) const override { ip = "127.0.0.1", port = 1; }
    void get_local_ip_and_port(std::string& ip, int& port) const override { ip = "127.0.0.1", port = 1; }
    socket_t socket() const override { return 0; }

  private:
    const std::string& bytes_;
    std::size_t at_ = 0;
    std::string written_;
  };
};

void measure_parsing() {
  namespace edge = tobit::http::edge;
  const auto ours = nanoseconds_each([] {
    edge::head_scanner scanner;
    if (scanner.scan(browser_request) != edge::head_scanner::verdict::complete) std::abort();
    if (!edge::parse_head(browser_request, {32768, 100, 8192})) std::abort();
    tobit::http::response said;
    said.body = hello;
    if (edge::write_answer(std::move(said), {}).head.empty()) std::abort();
  });
  httplib_parser parser;
  const auto theirs = nanoseconds_each([&] { parser.parse(browser_request); });
  print("edge parse and answer in memory", ours, "ns");
  print("edge parse and answer in memory, cpp-httplib", theirs, "ns");
}

int measure_all(int seconds) {
  measure_parsing();
  for (const auto& [clients, target] : {std::pair{64, "more 40000"}, std::pair{1000, "more 30000"}}) {
    const auto count = ", " + std::to_string(clients) + " clients";
    const auto ours = measure({"edge_bench", "ours"}, clients, seconds);
    print("edge hello" + count, ours.rate, "req/s", target);
    print("edge hello" + count + ", p99", ours.p99_ms, "ms");
    print("edge hello" + count + ", CPU", ours.cpu_us, "us/req");
    const auto theirs = measure({"edge_bench", "httplib", std::to_string(clients + 8)}, clients, seconds);
    print("edge hello" + count + ", cpp-httplib alone", theirs.rate, "req/s");
    print("edge hello" + count + ", cpp-httplib alone, CPU", theirs.cpu_us, "us/req");
  }
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  const std::string which = argc > 1 ? argv[1] : "";
  const auto number = [&](int at, std::size_t otherwise) { return argc > at ? std::stoul(argv[at]) : otherwise; };
  if (which == "httplib") return serve_httplib(number(2, 64));
  return which == "ours" ? serve_ours(number(2, 1), number(3, 2))
                         : measure_all(which.empty() ? 4 : std::atoi(which.c_str()));
}
