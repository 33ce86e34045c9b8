// What watching costs per message: counting, and building and recording a span.
#include "runtime/stream/event_bus.hpp"
#include "runtime/telemetry/metrics.hpp"
#include "runtime/telemetry/span_recorder.hpp"
#include "runtime/telemetry/span_timer.hpp"

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace tobit;
using namespace tobit::telemetry;

constexpr int rounds = 1'000'000;

/// Nanoseconds of one call, with `threads` calling at the same time.
template <class F>
double nanos_per_call(int threads, F call) {
  const auto begun = std::chrono::steady_clock::now();
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t)
    running.emplace_back([&] {
      for (int i = 0; i < rounds; ++i) call(i);
    });
  for (auto& thread : running) thread.join();
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begun).count() / rounds;
}

template <class F>
void measure(const char* name, const char* target, F call) {
  for (const int threads : {1, 2})
    std::printf("bench %s, %d thread%s %.0f ns%s\n", name, threads, threads > 1 ? "s" : "",
                nanos_per_call(threads, call), target);
}

void measure_spans(const system_clock& time, metrics& figures) {
  span_recorder spans({}, time, &figures);
  const auto asked = new_call(system_identity(tenant_id{"default"}));
  auto unsampled = asked;
  unsampled.flags = 0;
  measure("child context", "", [&](int) {
    const auto child = asked.child();
    asm volatile("" : : "r"(&child) : "memory");
  });
  measure("span of a message", " less 1000", [&](int) { span_timer timing(spans, time, asked, "rule trigger"); });
  measure("span of a message with two attributes", " less 2000", [&](int) {
    span_timer timing(spans, time, asked, "rule trigger");
    timing.attribute("rule", "018f3a3e-0000-7000-8000-000000000000");
    timing.attribute("matched", "true");
  });
  measure("span of a message that is not sampled", "",
          [&](int) { span_timer timing(spans, time, unsampled, "rule trigger"); });
}

void measure_bus() {
  const auto bus = stream::make_event_bus();
  const json body{{"rule_id", "018f3a3e-0000-7000-8000-000000000000"}, {"value", 12.5}};
  const tenant_id tenant{"default"};
  measure("publish without a watcher", "", [&](int) { bus->publish(tenant, "cep.events", "new_event", body); });
  std::vector<std::shared_ptr<void>> watching;
  for (int i = 0; i < 10; ++i)
    watching.push_back(bus->subscribe(tenant, "cep.events", 0, [](const stream::stream_item&) {}));
  measure("publish to ten watchers", "", [&](int) { bus->publish(tenant, "cep.events", "new_event", body); });
}

} // namespace

int main() {
  const system_clock time;
  metrics figures;
  measure("count without labels", " less 1000", [&](int) { figures.count(metric::storage_units); });
  measure("count with two labels", " less 1000", [&](int i) {
    figures.count(metric::entity_messages, {"rule", i % 8 ? "done" : "failed"});
  });
  measure("observe a duration", " less 1000",
          [&](int i) { figures.observe(metric::entity_duration, (i % 100) * 1e-5, {"rule"}); });
  measure_spans(time, figures);
  measure_bus();
}
