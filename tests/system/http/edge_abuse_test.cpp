#define CAF_SUITE edge_abuse

#include "edge_client.hpp"

#include <caf/test/unit_test.hpp>

#include <ctime>
#include <fcntl.h>
#include <sys/resource.h>
#include <zlib.h>

using namespace tobit;
using namespace tobit::http;
using namespace tobit::http::tests;
using namespace std::chrono_literals;

namespace {

std::string gzipped(std::size_t zeros) {
  const std::string plain(zeros, '\0');
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

double cpu_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

/// Takes all file descriptors of the process but a few, for as long as it lives.
class scarce_files {
public:
  explicit scarce_files(std::size_t left) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = before_;
    low.rlim_cur = 256;
    ::setrlimit(RLIMIT_NOFILE, &low);
    for (int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC); fd >= 0; fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC))
      taken_.emplace_back(fd);
    for (; left > 0; --left) taken_.pop_back();
  }
  ~scarce_files() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
  rlimit before_{};
  std::vector<edge::file_handle> taken_;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(edge_abuse_tests, edge_fixture)

CAF_TEST(a head that trickles in is cut at its time while others are served) {
  options.head_time = 300ms;
  const auto port = start();
  raw_client slow{port}, other{port};
  const auto begin = std::chrono::steady_clock::now();
  CAF_REQUIRE(slow.send("GET / HTTP/1.1\r\n"));
  while (std::chrono::steady_clock::now() - begin < 200ms) {
    slow.send("a");
    CAF_REQUIRE_EQUAL(other.ask(get("/hello")).status, 200);
  }
  CAF_CHECK_EQUAL(slow.receive().status, 408);
  CAF_CHECK(std::chrono::steady_clock::now() - begin >= 300ms);
  CAF_CHECK(slow.is_closed_by_peer());
  CAF_CHECK_EQUAL(other.ask(get("/hello")).status, 200);
}

CAF_TEST(a body that trickles in is cut at its time) {
  handler.limit.time = 200ms;
  raw_client slow{start()};
  CAF_REQUIRE(slow.send("POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc"));
  CAF_CHECK_EQUAL(slow.receive().status, 408);
  CAF_CHECK(slow.is_closed_by_peer());
}

CAF_TEST(an idle connection is let go after its time) {
  options.idle_time = 100ms;
  raw_client client{start()};
  CAF_CHECK_EQUAL(client.ask(get("/hello")).status, 200);
  CAF_CHECK(client.is_closed_by_peer());
}

CAF_TEST(a request that nobody answers gets 504) {
  options.answer_time = 100ms;
  raw_client client{start()};
  CAF_CHECK_EQUAL(client.ask(get("/hold")).status, 504);
  handler.release_all(); // too late, and ignored
  CAF_CHECK(client.is_closed_by_peer());
}

CAF_TEST(a thousand idle connections cost nothing and starve nobody) {
  const auto port = start();
  std::vector<std::unique_ptr<raw_client>> idle;
  for (int i = 0; i < 1000; ++i) {
    idle.push_back(std::make_unique<raw_client>(port));
    if (i % 2 == 0) CAF_REQUIRE(idle.back()->send("GET /hello HT"));
  }
  raw_client busy{port};
  CAF_CHECK_EQUAL(busy.ask(get("/hello")).status, 200);
  CAF_CHECK_EQUAL(running->figures().connections, 1001u);
  // Nothing happens on this connection: the wait is the measurement.
  const auto before = cpu_seconds();
  CAF_CHECK(!busy.has_input_within(500ms));
  CAF_CHECK(cpu_seconds() - before < 0.01);
  CAF_CHECK_EQUAL(busy.ask(get("/hello")).status, 200);
  for (std::size_t i = 0; i < idle.size(); i += 100) {
    CAF_REQUIRE(idle[i]->send("TP/1.1\r\nHost: h\r\n\r\n"));
    CAF_CHECK_EQUAL(idle[i]->receive().status, 200);
  }
}

CAF_TEST(a compressed bomb is refused and small bodies are unpacked) {
  raw_client client{start()};
  CAF_CHECK_EQUAL(client.ask(post("/size", gzipped(100'000'000), "Content-Encoding: gzip\r\n")).status, 413);
  CAF_CHECK_EQUAL(client.ask(post("/size", gzipped(1'000'000), "Content-Encoding: gzip\r\n")).body, "1000000");
  CAF_CHECK_EQUAL(client.ask(post("/size", "junk", "Content-Encoding: gzip\r\n")).status, 400);
  CAF_CHECK_EQUAL(client.ask(post("/size", "junk", "Content-Encoding: zip\r\n")).status, 415);
}

CAF_TEST(a client that does not read its answer is let go) {
  options.write_time = 200ms;
  const auto port = start();
  raw_client slow{port, 4096}, other{port};
  CAF_REQUIRE(slow.send(get("/big")));
  CAF_CHECK_EQUAL(other.ask(get("/hello")).status, 200);
  while (running->figures().connections > 1) CAF_REQUIRE_EQUAL(other.ask(get("/hello")).status, 200);
  CAF_CHECK(slow.is_closed_by_peer());
}

CAF_TEST(pipelining without reading holds one answer at a time) {
  options.write_time = 200ms;
  const auto port = start();
  raw_client slow{port, 4096}, other{port};
  std::string many;
  for (int i = 0; i < 100; ++i) many += get("/big");
  slow.send_some(many);
  while (running->figures().connections > 1 || running->figures().accepted < 2)
    CAF_REQUIRE_EQUAL(other.ask(get("/hello")).status, 200);
  CAF_CHECK(running->figures().requests > 0);
}

CAF_TEST(limits on connections turn away with 503 and let in again) {
  options.connections_per_address_max = 2;
  const auto port = start();
  raw_client first{port};
  auto second = std::make_unique<raw_client>(port);
  CAF_CHECK_EQUAL(first.ask(get("/hello")).status, 200);
  CAF_CHECK_EQUAL(second->ask(get("/hello")).status, 200);
  raw_client third{port};
  CAF_CHECK_EQUAL(third.receive().status, 503);
  second.reset();
  while (running->figures().connections > 1) CAF_REQUIRE_EQUAL(first.ask(get("/hello")).status, 200);
  raw_client fourth{port};
  CAF_CHECK_EQUAL(fourth.ask(get("/hello")).status, 200);
}

CAF_TEST(bodies of all requests together are bounded) {
  options.request_bytes_max = 100'000;
  const auto port = start();
  raw_client first{port}, second{port};
  CAF_REQUIRE(first.send("POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: 90001\r\n\r\n" + std::string(90'000, 'a')));
  raw_client watcher{port};
  CAF_CHECK_EQUAL(watcher.ask(get("/hello")).status, 200);
  CAF_CHECK_EQUAL(second.ask(post("/size", std::string(99'000, 'a'))).status, 503);
  CAF_CHECK_EQUAL(first.ask("a").body, "90001");
  CAF_CHECK_EQUAL(watcher.ask(post("/size", std::string(99'000, 'a'))).status, 200);
}

CAF_TEST(running out of file descriptors turns clients away without spinning) {
  const auto port = start();
  raw_client early{port};
  CAF_CHECK_EQUAL(early.ask(get("/hello")).status, 200);
  std::vector<std::unique_ptr<raw_client>> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(std::make_unique<raw_client>());
  {
    const scarce_files scarce{3};
    const auto before = cpu_seconds();
    for (auto& one : clients) one->connect(port);
    int served = 0, turned_away = 0;
    for (auto& one : clients) {
      if (one->ask(get("/hello")).status == 200)
        ++served;
      else
        ++turned_away;
    }
    CAF_CHECK_EQUAL(served, 3);
    CAF_CHECK_EQUAL(turned_away, 17);
    CAF_CHECK_EQUAL(early.ask(get("/hello")).status, 200);
    CAF_CHECK_EQUAL(running->figures().refused, 17u);
    CAF_CHECK(cpu_seconds() - before < 1);
  }
  raw_client late{port};
  CAF_CHECK_EQUAL(late.ask(get("/hello")).status, 200);
}

CAF_TEST_FIXTURE_SCOPE_END()
