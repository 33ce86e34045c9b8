#define CAF_SUITE entity_telemetry

#include "tests/support/entity_fixture.hpp"

#include <algorithm>

using namespace tobit;
using namespace tobit::testing;
using counter::add_to_counter;
using telemetry::metric;

namespace {

class span_list final : public telemetry::span_sink {
public:
  void record(telemetry::span_record span) noexcept override { spans.push_back(std::move(span)); }
  bool wants(const call_context& context) const noexcept override { return (context.flags & 1) != 0; }
  std::vector<telemetry::span_record> of_trace(const trace_id&) const override { return spans; }
  const telemetry::span_record* find(const std::string& name) const {
    auto one = std::find_if(spans.begin(), spans.end(), [&](const auto& span) { return span.name == name; });
    return one == spans.end() ? nullptr : &*one;
  }
  std::vector<telemetry::span_record> spans;
};

struct fixture : entity_fixture<database_kind::sqlite> {
  fixture() {
    figures = &counts;
    spans = &seen;
    bus = stream::make_event_bus();
    start();
    define();
    seen.spans.clear();
  }
  ~fixture() override { stop(); }
  telemetry::metrics counts;
  span_list seen;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(entity_telemetry, fixture)

CAF_TEST(each handled message is a span below the span of whoever asked) {
  const auto with = context();
  send(ref(), message::of(add_to_counter{1}), with);
  settle();
  const auto* span = seen.find("counter tobit.counter.add.v1");
  CAF_REQUIRE(span != nullptr);
  CAF_CHECK(span->trace == with.trace);
  CAF_CHECK(span->parent == with.span);
  CAF_CHECK(span->span != with.span);
  CAF_CHECK(!span->failed);
}

CAF_TEST(an effect is a span below the message that wanted it) {
  send(ref(), message::of(counter::announce_count{1, ""}));
  settle();
  const auto* asked = seen.find("counter tobit.counter.announce.v1");
  const auto* effect = seen.find("outbox test");
  CAF_REQUIRE(asked && effect);
  CAF_CHECK(effect->parent == asked->span);
  CAF_CHECK(effect->trace == asked->trace);
}

CAF_TEST(failed messages are spans even where the trace is not sampled) {
  auto with = context();
  with.flags = 0;
  send(ref(), message::of(add_to_counter{1}), with);
  send(ref(), message::of(counter::trouble_counter{"refuse"}), with);
  settle();
  CAF_REQUIRE_EQUAL(seen.spans.size(), 1u);
  CAF_CHECK(seen.spans[0].failed);
}

CAF_TEST(messages and entities and restarts are counted) {
  add();
  CAF_CHECK_EQUAL(counts.total(metric::entity_messages), 2);
  CAF_CHECK_EQUAL(counts.total(metric::entity_active), 1);
  ask(ref(), message::of(counter::trouble_counter{"decide"}));
  pass(std::chrono::seconds{1});
  CAF_CHECK_EQUAL(counts.total(metric::entity_restarts), 1);
  control("stop");
  CAF_CHECK_EQUAL(counts.total(metric::entity_active), 0);
}

CAF_TEST(publications reach watchers after the commit) {
  std::vector<std::string> items;
  auto watching =
      bus->subscribe(tenant, "counter", 0, [&](const stream::stream_item& item) { items.push_back(*item.data); });
  send(ref(), message::of(counter::announce_count{1, ""}));
  consume_messages();
  CAF_CHECK(items.empty());
  settle();
  CAF_REQUIRE_EQUAL(items.size(), 1u);
  CAF_CHECK_EQUAL(items[0], R"({"count":1})");
}

CAF_TEST_FIXTURE_SCOPE_END()
