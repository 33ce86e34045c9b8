#define CAF_SUITE span_recorder

#include "runtime/telemetry/span_recorder.hpp"
#include "runtime/telemetry/span_timer.hpp"

#include <caf/test/unit_test.hpp>

#include <thread>
#include <utility>

using namespace tobit;
using namespace tobit::telemetry;
using namespace std::chrono_literals;

namespace {

/// Keeps what it is sent and answers when told to.
class held_outlet final : public span_outlet {
public:
  struct log {
    std::vector<std::vector<span_record>> batches;
    answer pending;
  };
  explicit held_outlet(const std::shared_ptr<log>& seen) : seen_(seen) {}
  void send(const std::vector<span_record>& batch, answer done) override {
    const auto log_now = seen_.lock();
    if (!log_now) return;
    log_now->batches.push_back(batch);
    log_now->pending = std::move(done);
  }

private:
  std::weak_ptr<log> seen_; ///< the log holds an answer, which holds the outlet
};

struct fixture {
  manual_clock time;
  metrics figures;
  span_recorder recorder;
  std::shared_ptr<held_outlet::log> seen = std::make_shared<held_outlet::log>();

  explicit fixture(outlet_options outlet = {}, span_options options = {}) : recorder(options, time, &figures) {
    recorder.add_outlet(std::make_unique<held_outlet>(seen), outlet);
  }
  double dropped() const { return figures.total(metric::spans_dropped); }
};

outlet_options everything() {
  outlet_options options;
  options.ratio = 1;
  return options;
}

call_context work() { return new_call(system_identity(tenant_id{"acme"})).child(); }

span_record span_of(const call_context& context, bool failed = false, std::chrono::microseconds took = 1ms) {
  span_record span;
  span.trace = context.trace;
  span.span = context.span;
  span.parent = context.parent;
  span.name = "test";
  span.duration = took;
  span.failed = failed;
  return span;
}

} // namespace

CAF_TEST(a timer records what it measured under the span of its context) {
  fixture f;
  const auto context = work();
  {
    span_timer timing(f.recorder, f.time, context, "rule trigger");
    timing.attribute("rule", "r1");
    f.time.advance(250us);
    auto moved = std::move(timing);
    moved.fail("it broke");
  }
  const auto spans = f.recorder.of_trace(context.trace);
  CAF_REQUIRE_EQUAL(spans.size(), 1u);
  CAF_CHECK(spans[0].span == context.span && spans[0].parent == context.parent);
  CAF_CHECK_EQUAL(spans[0].tenant.value, "acme");
  CAF_CHECK_EQUAL(spans[0].duration.count(), 250);
  CAF_CHECK(spans[0].failed);
  CAF_REQUIRE_EQUAL(spans[0].attributes.size(), 2u);
  CAF_CHECK_EQUAL(spans[0].attributes[1].second, "it broke");
}

CAF_TEST(a trace that is not sampled leaves only its failures) {
  fixture f;
  auto context = work();
  context.flags = 0;
  CAF_CHECK(!f.recorder.wants(context));
  { span_timer timing(f.recorder, f.time, context, "fine"); }
  { span_timer(f.recorder, f.time, context, "bad").fail("no"); }
  const auto spans = f.recorder.of_trace(context.trace);
  CAF_REQUIRE_EQUAL(spans.size(), 1u);
  CAF_CHECK_EQUAL(spans[0].name, "bad");
}

CAF_TEST(the ring keeps the latest and gives them oldest first) {
  span_options options;
  options.ring_max = 3;
  fixture f({}, options);
  const auto context = work();
  for (int i = 0; i < 5; ++i) {
    auto span = span_of(context);
    span.name = std::to_string(i);
    f.recorder.record(span);
  }
  f.recorder.record(span_of(work()));
  std::string names;
  for (const auto& span : f.recorder.of_trace(context.trace)) names += span.name;
  CAF_CHECK_EQUAL(names, "34");
}

CAF_TEST(failed and slow spans go to the outlet in any case and others by ratio) {
  outlet_options none;
  none.ratio = 0;
  fixture f(none);
  f.recorder.record(span_of(work()));
  f.recorder.record(span_of(work(), true));
  f.recorder.record(span_of(work(), false, 500ms));
  f.recorder.flush();
  CAF_REQUIRE_EQUAL(f.seen->batches.size(), 1u);
  CAF_CHECK_EQUAL(f.seen->batches[0].size(), 2u);
}

CAF_TEST(a ratio takes about that share of the traces and all spans of each) {
  outlet_options tenth;
  tenth.ratio = 0.1;
  tenth.batch_max = tenth.queue_max = 100'000;
  fixture f(tenth);
  for (int i = 0; i < 10'000; ++i) {
    const auto context = work();
    f.recorder.record(span_of(context));
    f.recorder.record(span_of(context));
  }
  f.recorder.flush();
  const auto taken = f.seen->batches.at(0).size();
  CAF_CHECK_EQUAL(taken % 2, 0u);
  CAF_CHECK(taken > 1'600 && taken < 2'400); // 2,000 expected; ±9 standard deviations
}

CAF_TEST(one batch is under way and the rest waits within its bound and is counted when lost) {
  auto options = everything();
  options.batch_max = 2;
  options.queue_max = 3;
  fixture f(options);
  for (int i = 0; i < 5; ++i) f.recorder.record(span_of(work()));
  CAF_CHECK_EQUAL(f.dropped(), 2.0);
  f.recorder.flush();
  f.recorder.flush();
  CAF_CHECK_EQUAL(f.seen->batches.size(), 1u);
  f.seen->pending(span_outlet::verdict::lost, 0ms);
  CAF_CHECK_EQUAL(f.dropped(), 4.0);
  f.recorder.flush();
  CAF_REQUIRE_EQUAL(f.seen->batches.size(), 2u);
  CAF_CHECK_EQUAL(f.seen->batches[1].size(), 1u);
}

CAF_TEST(a batch is sent again after the pause and given up after its attempts) {
  auto options = everything();
  options.attempts_max = 2;
  fixture f(options);
  f.recorder.record(span_of(work()));
  f.recorder.flush();
  f.seen->pending(span_outlet::verdict::again, 5s);
  f.recorder.flush();
  f.time.advance(4s);
  f.recorder.flush();
  CAF_CHECK_EQUAL(f.seen->batches.size(), 1u);
  f.time.advance(1s);
  f.recorder.flush();
  CAF_REQUIRE_EQUAL(f.seen->batches.size(), 2u);
  CAF_CHECK(f.seen->batches[1][0].span == f.seen->batches[0][0].span);
  f.seen->pending(span_outlet::verdict::again, 5s);
  CAF_CHECK_EQUAL(f.dropped(), 1.0);
}

CAF_TEST(an answer after the recorder is gone does no harm) {
  const auto seen = std::make_shared<held_outlet::log>();
  {
    manual_clock time;
    metrics figures;
    span_recorder recorder({}, time, &figures);
    recorder.add_outlet(std::make_unique<held_outlet>(seen), everything());
    recorder.record(span_of(work()));
  }
  CAF_REQUIRE_EQUAL(seen->batches.size(), 1u); // the destructor sent what waited
  std::exchange(seen->pending, nullptr)(span_outlet::verdict::lost, 0ms);
}

CAF_TEST(names and attributes are bounded and stay valid UTF - 8) {
  fixture f;
  const auto context = work();
  auto span = span_of(context);
  span.attributes.resize(100, {"key", std::string(499, 'a') + "é" + std::string(100, 'b')});
  f.recorder.record(std::move(span));
  const auto kept = f.recorder.of_trace(context.trace).at(0);
  CAF_CHECK_EQUAL(kept.attributes.size(), attributes_max);
  CAF_CHECK_EQUAL(kept.attributes[0].second, std::string(499, 'a'));
}

CAF_TEST(threads record and look at the same time) {
  span_options options;
  options.ring_max = 100;
  fixture f(everything(), options);
  f.recorder.start();
  const auto context = work();
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 5'000; ++i) f.recorder.record(span_of(context));
    });
  for (int i = 0; i < 100; ++i) CAF_REQUIRE(f.recorder.of_trace(context.trace).size() <= 100);
  for (auto& thread : threads) thread.join();
  CAF_CHECK_EQUAL(f.recorder.of_trace(context.trace).size(), 100u);
}
