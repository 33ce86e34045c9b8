#define CAF_SUITE edge

#include "edge_client.hpp"

#include <caf/test/unit_test.hpp>

#include <thread>

using namespace tobit;
using namespace tobit::http;
using namespace tobit::http::tests;

namespace {

constexpr const char* hello_body = R"({"message":"hello"})";

} // namespace

CAF_TEST_FIXTURE_SCOPE(edge_tests, edge_fixture)

CAF_TEST(a connection serves one request after the other) {
  raw_client client{start()};
  for (int i = 0; i < 100; ++i) CAF_CHECK_EQUAL(client.ask(get("/hello")).body, hello_body);
  CAF_CHECK_EQUAL(running->figures().connections, 1u);
  CAF_CHECK_EQUAL(running->figures().requests, 100u);
}

CAF_TEST(pipelined requests are answered in their order) {
  raw_client client{start()};
  std::string all;
  for (int i = 0; i < 200; ++i) all += post("/echo", std::to_string(i));
  CAF_REQUIRE(client.send(all + get("/hello", "Connection: close\r\n") + get("/hello")));
  for (int i = 0; i < 200; ++i) CAF_CHECK_EQUAL(client.receive().body, std::to_string(i));
  CAF_CHECK_EQUAL(client.receive().header("connection"), "close");
  CAF_CHECK(client.is_closed_by_peer());
}

CAF_TEST(a request may arrive in pieces of any size) {
  raw_client client{start()};
  const std::string plain = post("/echo", "0123456789");
  const std::string chunked = "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "3\r\n012\r\n7;x=y\r\n3456789\r\n0\r\nT: v\r\n\r\n";
  for (const auto& bytes : {plain, chunked})
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
      CAF_REQUIRE(client.send(bytes.substr(0, cut)));
      CAF_REQUIRE(client.send(bytes.substr(cut)));
      CAF_CHECK_EQUAL(client.receive().body, "0123456789");
    }
  for (const char c : chunked) CAF_REQUIRE(client.send({&c, 1}));
  CAF_CHECK_EQUAL(client.receive().body, "0123456789");
}

CAF_TEST(a handler sees what was sent) {
  raw_client client{start()};
  CAF_CHECK_EQUAL(client.ask(post("/a%20b/../c?x=1", "body", "X-Thing: v\r\n")).status, 200);
  const auto& seen = handler.last.value();
  CAF_CHECK_EQUAL(seen.method, "POST");
  CAF_CHECK_EQUAL(seen.path, "/c");
  CAF_CHECK_EQUAL(seen.body, "body");
  CAF_CHECK_EQUAL(seen.header("x-thing"), "v");
  CAF_CHECK_EQUAL(seen.remote_address, "127.0.0.1");
  CAF_CHECK(!seen.secure);
}

CAF_TEST(HEAD and HTTP 1 0 are answered in their way) {
  const auto port = start();
  raw_client client{port};
  CAF_REQUIRE(client.send("HEAD /long HTTP/1.1\r\nHost: h\r\n\r\n"));
  CAF_CHECK_EQUAL(client.receive(true).header("content-length"), "10000");
  CAF_CHECK_EQUAL(client.ask(get("/hello")).status, 200);
  raw_client old{port};
  CAF_CHECK_EQUAL(old.ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").header("connection"), "keep-alive");
  CAF_CHECK_EQUAL(old.ask("GET /hello HTTP/1.0\r\n\r\n").header("connection"), "close");
  CAF_CHECK(old.is_closed_by_peer());
}

CAF_TEST(a client that only closed its sending side gets its answers) {
  raw_client client{start()};
  CAF_REQUIRE(client.send(get("/hello") + get("/hello")));
  client.finish_writing();
  CAF_CHECK_EQUAL(client.receive().status, 200);
  CAF_CHECK_EQUAL(client.receive().status, 200);
  CAF_CHECK(client.is_closed_by_peer());
}

CAF_TEST(a handler that throws or forgets costs an error and not the connection) {
  raw_client client{start()};
  for (const char* path : {"/throw", "/drop"}) {
    const auto got = client.ask(get(path));
    CAF_CHECK_EQUAL(got.status, 500);
    CAF_CHECK_EQUAL(got.body, "INTERNAL_SERVER_ERROR");
  }
  CAF_CHECK_EQUAL(client.ask(get("/hello")).status, 200);
}

CAF_TEST(an answer may come late and from another thread) {
  const auto port = start();
  raw_client slow{port}, quick{port};
  CAF_REQUIRE(slow.send(get("/hold")));
  CAF_REQUIRE(handler.held.reaches(1));
  CAF_CHECK_EQUAL(quick.ask(get("/hello")).status, 200);
  std::thread other{[this] { handler.release_all(); }};
  CAF_CHECK_EQUAL(slow.receive().body, "released");
  other.join();
}

CAF_TEST(malformed requests get 400 and the end) {
  const auto port = start();
  for (const auto& bytes :
       {std::string{"nonsense\r\n\r\n"}, std::string{"GET / HTTP/1.1\n\n"}, get("/%ff"), get("/", "A : b\r\n"),
        get("/", " b\r\n"), get("/", std::string{"A: \0\r\n", 6}), post("/", "a", "Transfer-Encoding: chunked\r\n"),
        post("/", "a", "Content-Length: 2\r\n"), std::string{"GET / HTTP/1.1\r\n\r\n"},
        std::string{"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}}) {
    raw_client client{port};
    CAF_CHECK_EQUAL(client.ask(bytes + get("/hello")).status, 400);
    CAF_CHECK(client.is_closed_by_peer());
  }
  CAF_CHECK_EQUAL(running->figures().requests, 0u);
  CAF_CHECK_EQUAL(running->figures().refused, 10u);
}

CAF_TEST(a refusal is complete whatever the request before it was) {
  raw_client client{start()};
  CAF_REQUIRE(client.send("HEAD /long HTTP/1.1\r\nHost: h\r\n\r\n"));
  CAF_CHECK_EQUAL(client.receive(true).status, 200);
  CAF_CHECK_EQUAL(client.ask("nonsense\r\n\r\n").body, "VALIDATION_ERROR");
}

CAF_TEST(heads beyond the limits are refused by name) {
  const auto port = start();
  const auto status_of = [&](const std::string& bytes) {
    raw_client client{port};
    client.send(bytes);
    return client.receive().status;
  };
  CAF_CHECK_EQUAL(status_of("GET /" + std::string(100'000, 'a')), 414);
  CAF_CHECK_EQUAL(status_of(get("/" + std::string(10'000, 'a'))), 414);
  CAF_CHECK_EQUAL(status_of("GET / HTTP/1.1\r\nA: " + std::string(100'000, 'a')), 431);
  std::string many;
  for (int i = 0; i < 200; ++i) many += "A: b\r\n";
  CAF_CHECK_EQUAL(status_of(get("/", many)), 431);
  CAF_CHECK_EQUAL(status_of(get("/", "Expect: wonders\r\n")), 417);
}

CAF_TEST(a body that is announced too large is refused before it comes) {
  raw_client client{start()};
  CAF_REQUIRE(
      client.send("POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: 50000000\r\nExpect: 100-continue\r\n\r\n"));
  CAF_CHECK_EQUAL(client.receive().status, 413);
  CAF_CHECK(client.is_closed_by_peer());
}

CAF_TEST(a client that sends on regardless still reads its refusal) {
  const auto port = start();
  const std::string piece(1u << 20, 'x');
  raw_client plain{port};
  CAF_REQUIRE(plain.send("POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: 50000000\r\n\r\n"));
  for (int i = 0; i < 47; ++i) plain.send(piece);
  CAF_CHECK_EQUAL(plain.receive().status, 413);
  raw_client chunked{port};
  CAF_REQUIRE(chunked.send("POST /size HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"));
  for (int i = 0; i < 50; ++i) chunked.send("100000\r\n" + piece + "\r\n");
  CAF_CHECK_EQUAL(chunked.receive().status, 413);
}

CAF_TEST(bodies of fifty megabytes arrive where they are allowed) {
  handler.limit.bytes = 50'000'000;
  raw_client client{start()};
  const std::string body(50'000'000, 'x');
  CAF_CHECK_EQUAL(client.ask(post("/size", body)).body, "50000000");
  std::string chunked = "POST /size HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 50; ++i) chunked += "f4240\r\n" + body.substr(0, 1'000'000) + "\r\n";
  CAF_CHECK_EQUAL(client.ask(chunked + "0\r\n\r\n").body, "50000000");
}

CAF_TEST(Expect is answered before the body) {
  raw_client client{start()};
  CAF_REQUIRE(client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
  CAF_CHECK_EQUAL(client.receive(true).status, 100);
  CAF_CHECK_EQUAL(client.ask("ok").body, "ok");
}

CAF_TEST(compressed answers go to those who asked for them) {
  raw_client client{start()};
  CAF_CHECK_EQUAL(client.ask(get("/long")).header("content-encoding"), "");
  CAF_CHECK_EQUAL(client.ask(get("/long", "Accept-Encoding: gzip\r\n")).header("content-encoding"), "gzip");
  CAF_CHECK_EQUAL(client.ask(get("/long", "Accept-Encoding: gzip, br\r\n")).header("content-encoding"), "br");
  CAF_CHECK_EQUAL(client.ask(get("/hello", "Accept-Encoding: gzip\r\n")).header("content-encoding"), "");
}

CAF_TEST_FIXTURE_SCOPE_END()
