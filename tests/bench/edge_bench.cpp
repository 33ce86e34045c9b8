// The servers that wrk is pointed at by tests/bench/edge.sh: ours and, for comparison, plain cpp-httplib.
//   edge_bench ours    [reactors] [workers]    prints its port and serves until standard input ends
//   edge_bench httplib [threads]
#include "http/server/server.hpp"

#include <httplib.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <sys/socket.h>
#include <thread>

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

} // namespace

int main(int argc, char** argv) {
  const std::string which = argc > 1 ? argv[1] : "ours";
  const auto number = [&](int at, std::size_t otherwise) { return argc > at ? std::stoul(argv[at]) : otherwise; };
  return which == "httplib" ? serve_httplib(number(2, 64)) : serve_ours(number(2, 1), number(3, 2));
}
