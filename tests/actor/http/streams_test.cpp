#define CAF_SUITE streams

#include "tests/actor/http/edge_fixture.hpp"
#include "tests/actor/http/fake_entities.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace std::chrono_literals;
using testing::edge_fixture;

namespace {

struct stream_fixture : edge_fixture {
  stream_fixture() {
    start();
    sign_in();
  }
  void happen(int number) { bus->publish(tenant_id{"default"}, "cep.events", "new_event", {{"number", number}}); }
  std::shared_ptr<testing::recorded_stream> watch(const std::string& last_id = {}) {
    auto answer = ask("GET", "/cep/events/stream", std::string{},
                      last_id.empty() ? headers{} : headers{{"last-event-id", last_id}});
    if (!answer.stream) throw std::runtime_error(answer.answer.body);
    // The answer comes before the subscription; whoever asks again is served after it.
    for (int i = 0; i < 2; ++i) get("/auth/me");
    return answer.stream;
  }
  /// The databases' threads write the opening; wait for what the test needs, at most for a moment.
  static bool holds(const testing::recorded_stream& stream, const std::string& part) {
    for (int i = 0; i < 500; ++i) {
      if (stream.text().find(part) != std::string::npos) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }
};

} // namespace

CAF_TEST(a watcher gets the summary the last hour and then what happens) {
  stream_fixture f;
  const auto stream = f.watch();
  CAF_CHECK(f.holds(*stream, "event: historical"));
  CAF_CHECK(stream->text().find("event: summary") < stream->text().find("event: historical"));
  f.happen(1);
  CAF_CHECK(f.holds(*stream, "id: 1\nevent: new_event\ndata: {\"number\":1}\n\n"));
  f.time.advance(5s);
  f.edge->tick();
  CAF_CHECK(f.holds(*stream, "event: ping"));
}

CAF_TEST(the events of another tenant are not shown) {
  stream_fixture f;
  const auto stream = f.watch();
  CAF_CHECK(f.holds(*stream, "event: historical"));
  f.bus->publish(tenant_id{"other"}, "cep.events", "new_event", {{"number", 99}});
  f.happen(1);
  CAF_CHECK(f.holds(*stream, "\"number\":1"));
  CAF_CHECK(stream->text().find("99") == std::string::npos);
}

CAF_TEST(a watcher that comes back gets what it missed and is told of a gap) {
  stream_fixture f;
  for (int i = 1; i <= 1'100; ++i) f.happen(i); // the bus keeps the latest thousand
  const auto recent = f.watch("1098");
  CAF_CHECK(f.holds(*recent, "id: 1100\n"));
  CAF_CHECK(recent->text().find("event: gap") == std::string::npos);
  CAF_CHECK(recent->text().find("id: 1098\n") == std::string::npos);
  CAF_CHECK(recent->text().find("event: historical") == std::string::npos);
  const auto old = f.watch("5");
  CAF_CHECK(f.holds(*old, "event: gap\ndata: {\"after\":5,\"next\":101}\n\nid: 101\n"));
}

CAF_TEST(a stream ends with the right to watch it) {
  stream_fixture f;
  const auto stream = f.watch();
  CAF_CHECK(f.holds(*stream, "event: historical"));
  f.time.advance(31min);
  f.edge->tick();
  CAF_CHECK(f.holds(*stream, "UNAUTHENTICATED"));
  f.edge->tick();
  CAF_CHECK(stream->closed());
}

CAF_TEST(a stopping node says goodbye) {
  stream_fixture f;
  const auto stream = f.watch();
  CAF_CHECK(f.holds(*stream, "event: historical"));
  f.edge->stop();
  CAF_CHECK(stream->text().find("event: shutdown") != std::string::npos);
  CAF_CHECK(stream->closed());
  CAF_CHECK_EQUAL(f.get("/cep/events/stream").status(), 503);
}

CAF_TEST(acknowledging is shown to all watchers followed by a summary) {
  stream_fixture f;
  auto written =
      f.store->write_and_wait({{{"INSERT INTO rule_event (event_id, tenant, rule_id, rule_name, exec_id, triggered_at, "
                                 "status, severity, summary, payload, trace_id)"
                                 " VALUES ('e1', 'default', 'r1', 'cpu', 'x1', $1, 'fired', 'high', 'hot', '{}', 't')",
                                 {to_micros(f.time.now())}}}});
  CAF_REQUIRE(written.has_value());
  const auto stream = f.watch();
  CAF_CHECK(f.holds(*stream, "\"event_id\":\"e1\""));
  CAF_CHECK_EQUAL(f.ask("POST", "/cep/events/e1/ack").status(), 200);
  CAF_CHECK(f.holds(*stream, "event: ack_event"));
  f.time.advance(1s);
  f.edge->tick();
  CAF_CHECK(f.holds(*stream, "\"unacked_count\":0"));
}
