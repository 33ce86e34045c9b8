#define CAF_SUITE edge_stream

#include "edge_client.hpp"

#include <caf/test/unit_test.hpp>

#include <thread>

using namespace tobit;
using namespace tobit::http;
using namespace tobit::http::tests;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<const std::string> bytes(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(edge_stream_tests, edge_fixture)

CAF_TEST(what is sent to a stream arrives in chunks until it is closed) {
  raw_client client{start()};
  CAF_REQUIRE(client.send(get("/stream")));
  CAF_REQUIRE(handler.streaming.reaches(1));
  auto head = client.receive(true);
  CAF_CHECK_EQUAL(head.header("content-type"), "text/event-stream");
  CAF_CHECK_EQUAL(head.header("transfer-encoding"), "chunked");
  CAF_CHECK(handler.streams[0]->send(bytes("data: 1\n\n")));
  CAF_CHECK(client.receive_until("9\r\ndata: 1\n\n\r\n"));
  CAF_CHECK(handler.streams[0]->send(bytes(std::string(100'000, 'x'))));
  CAF_CHECK(client.receive_until("186a0\r\n" + std::string(100'000, 'x') + "\r\n"));
  CAF_CHECK_EQUAL(running->figures().streams, 1u);
  handler.streams[0]->close();
  CAF_CHECK(client.receive_until("0\r\n\r\n"));
  CAF_CHECK(handler.closed.reaches(1));
  CAF_CHECK(!handler.streams[0]->send(bytes("late")));
  CAF_CHECK_EQUAL(client.ask(get("/hello")).status, 200);
}

CAF_TEST(the owner hears of a watcher that leaves while nothing is sent) {
  const auto port = start();
  auto client = std::make_unique<raw_client>(port);
  CAF_REQUIRE(client->send(get("/stream")));
  CAF_REQUIRE(handler.streaming.reaches(1));
  CAF_CHECK_EQUAL(client->receive(true).status, 200);
  client.reset();
  CAF_CHECK(handler.closed.reaches(1));
  CAF_CHECK(!handler.streams[0]->send(bytes("data: 1\n\n")));
}

CAF_TEST(a watcher that does not read is let go when its queue is full) {
  options.stream_queue_max = 100'000;
  raw_client client{start(), 4096};
  CAF_REQUIRE(client.send(get("/stream")));
  CAF_REQUIRE(handler.streaming.reaches(1));
  const auto piece = bytes(std::string(10'000, 'x'));
  int taken = 0;
  while (handler.streams[0]->send(piece)) ++taken;
  CAF_CHECK(taken >= 9);
  CAF_CHECK(handler.closed.reaches(1));
  CAF_CHECK(client.is_closed_by_peer());
}

CAF_TEST(a watcher that stopped reading is let go after the write time) {
  options.write_time = 200ms;
  options.stream_queue_max = 64u << 20;
  raw_client client{start(), 4096};
  CAF_REQUIRE(client.send(get("/stream")));
  CAF_REQUIRE(handler.streaming.reaches(1));
  CAF_CHECK(handler.streams[0]->send(bytes(std::string(16'000'000, 'x'))));
  CAF_CHECK(handler.closed.reaches(1));
}

CAF_TEST(a thousand watchers get every event from several threads) {
  constexpr int watchers = 1000, events = 20;
  const auto port = start();
  std::vector<std::unique_ptr<raw_client>> clients;
  for (int i = 0; i < watchers; ++i) {
    clients.push_back(std::make_unique<raw_client>(port));
    CAF_REQUIRE(clients.back()->send(get("/stream")));
  }
  CAF_REQUIRE(handler.streaming.reaches(watchers));
  std::vector<std::thread> senders;
  for (int part = 0; part < 2; ++part)
    senders.emplace_back([this, part] {
      for (int event = 0; event < events; ++event) {
        const auto text = bytes("data: " + std::to_string(event) + "\n\n");
        for (std::size_t i = static_cast<std::size_t>(part); i < watchers; i += 2) handler.streams[i]->send(text);
      }
    });
  int complete = 0;
  for (auto& client : clients) {
    bool all = true;
    for (int event = 0; event < events; ++event)
      all = all && client->receive_until("data: " + std::to_string(event) + "\n\n");
    complete += all ? 1 : 0;
  }
  for (auto& one : senders) one.join();
  CAF_CHECK_EQUAL(complete, watchers);
}

CAF_TEST(a stream for HTTP 1 0 lasts as long as the connection) {
  raw_client client{start()};
  CAF_REQUIRE(client.send("GET /stream HTTP/1.0\r\n\r\n"));
  CAF_REQUIRE(handler.streaming.reaches(1));
  CAF_CHECK_EQUAL(client.receive(true).header("connection"), "close");
  CAF_CHECK(handler.streams[0]->send(bytes("plain")));
  CAF_CHECK(client.receive_until("plain"));
  handler.streams[0]->close();
  CAF_CHECK(client.is_closed_by_peer());
}

CAF_TEST(HEAD of a stream is its head only) {
  raw_client client{start()};
  CAF_REQUIRE(client.send("HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n"));
  CAF_CHECK_EQUAL(client.receive(true).status, 200);
  CAF_CHECK(handler.closed.reaches(1));
  CAF_CHECK_EQUAL(client.ask(get("/hello")).status, 200);
}

CAF_TEST(stopping ends streams and finishes what is under way) {
  const auto port = start();
  raw_client watcher{port}, asker{port}, idle{port};
  CAF_REQUIRE(watcher.send(get("/stream")));
  CAF_REQUIRE(asker.send(get("/hold")));
  CAF_REQUIRE(handler.streaming.reaches(1));
  CAF_REQUIRE(handler.held.reaches(1));
  std::thread stopping{[this] { running->stop(10s); }};
  CAF_CHECK(handler.closed.reaches(1));
  CAF_CHECK(idle.is_closed_by_peer());
  handler.release_all();
  const auto got = asker.receive();
  CAF_CHECK_EQUAL(got.body, "released");
  stopping.join();
  CAF_CHECK(asker.is_closed_by_peer());
  CAF_CHECK(watcher.is_closed_by_peer());
}

CAF_TEST(stopping does not wait longer than it was told and late answers are harmless) {
  raw_client asker{start()};
  CAF_REQUIRE(asker.send(get("/hold")));
  CAF_REQUIRE(handler.held.reaches(1));
  running->stop(50ms);
  running.reset();
  handler.release_all();
  CAF_CHECK(asker.is_closed_by_peer());
}

CAF_TEST_FIXTURE_SCOPE_END()
