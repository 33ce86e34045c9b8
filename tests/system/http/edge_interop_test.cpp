#define CAF_SUITE edge_interop

#include "edge_client.hpp"

#include <caf/test/unit_test.hpp>
#include <httplib.h>

#include <thread>

// An HTTP client that others wrote, so that our parser and our tests cannot share a mistake.

using namespace tobit;
using namespace tobit::http;
using namespace tobit::http::tests;

namespace {

struct client_fixture : edge_fixture {
  std::unique_ptr<httplib::Client> client;

  httplib::Client& connect() {
    client = std::make_unique<httplib::Client>("127.0.0.1", start());
    client->set_keep_alive(true);
    client->set_read_timeout(patience);
    return *client;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(edge_interop_tests, client_fixture)

CAF_TEST(another client keeps its connection over all methods) {
  auto& http = connect();
  for (const auto& got : {http.Get("/hello?a=b%20c"), http.Post("/hello", "{}", "application/json"),
                          http.Put("/hello", "{}", "application/json"), http.Patch("/hello", "{}", "application/json"),
                          http.Delete("/hello"), http.Options("/hello")}) {
    CAF_REQUIRE(got);
    CAF_CHECK_EQUAL(got->status, 200);
    CAF_CHECK_EQUAL(got->body, R"({"message":"hello"})");
  }
  CAF_CHECK(http.Head("/long")->get_header_value("Content-Length") == "10000");
  CAF_CHECK_EQUAL(running->figures().accepted, 1u);
}

CAF_TEST(another client sends and reads compressed and chunked bodies) {
  auto& http = connect();
  http.set_compress(true);
  const std::string text(50'000, 't');
  CAF_CHECK(http.Post("/echo", text, "text/plain")->body == text);
  CAF_CHECK(handler.limit.bytes > text.size());
  http.set_compress(false);
  const auto chunked = http.Post(
      "/size",
      [](std::size_t offset, httplib::DataSink& sink) {
        sink.write("0123456789", 10);
        if (offset >= 9990) sink.done();
        return true;
      },
      "text/plain");
  CAF_REQUIRE(chunked);
  CAF_CHECK_EQUAL(chunked->body, "10000");
  for (const char* coding : {"gzip", "br", "gzip, br", "identity"})
    CAF_CHECK(http.Get("/long", {{"Accept-Encoding", coding}})->body == std::string(10'000, 'x'));
}

CAF_TEST(another client reads a stream to its end) {
  auto& http = connect();
  std::string seen;
  std::thread owner{[this] {
    if (!handler.streaming.reaches(1)) return;
    for (int i = 0; i < 1000; ++i)
      handler.streams[0]->send(std::make_shared<const std::string>("data: " + std::to_string(i) + "\n\n"));
    handler.streams[0]->close();
  }};
  const auto got = http.Get("/stream", [&](const char* bytes, std::size_t size) {
    seen.append(bytes, size);
    return true;
  });
  owner.join();
  CAF_REQUIRE(got);
  CAF_CHECK(seen.starts_with("data: 0\n\ndata: 1\n\n"));
  CAF_CHECK(seen.ends_with("data: 999\n\n"));
}

CAF_TEST(another client is told that its body is too large) {
  auto& http = connect();
  const auto got = http.Post("/size", std::string(2'000'000, 'x'), "text/plain");
  CAF_REQUIRE(got);
  CAF_CHECK_EQUAL(got->status, 413);
  CAF_CHECK(http.Get("/hello")->status == 200);
}

CAF_TEST_FIXTURE_SCOPE_END()
