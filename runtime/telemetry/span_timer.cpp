#include "runtime/telemetry/span_timer.hpp"

#include <utility>

namespace tobit::telemetry {

span_timer::span_timer(span_sink& sink, const clock& time, const call_context& context, std::string_view name)
    : sink_(&sink), time_(&time), wanted_(sink.wants(context)), begun_(time.steady_now()) {
  span_.trace = context.trace;
  span_.span = context.span;
  span_.parent = context.parent;
  span_.tenant = context.tenant();
  span_.name = name;
  span_.started_at = time.now();
}

span_timer::span_timer(span_timer&& other) noexcept
    : sink_(std::exchange(other.sink_, nullptr))
    , time_(other.time_)
    , wanted_(other.wanted_)
    , begun_(other.begun_)
    , span_(std::move(other.span_)) {
  // nop
}

void span_timer::attribute(std::string_view key, std::string_view value) {
  if (wanted_) span_.attributes.emplace_back(key, value);
}

void span_timer::fail(std::string_view why) {
  wanted_ = true;
  span_.failed = true;
  attribute("error", why);
}

void span_timer::finish() noexcept {
  if (!sink_) return;
  auto* sink = std::exchange(sink_, nullptr);
  if (!wanted_) return;
  span_.duration = time_->steady_now() - begun_;
  sink->record(std::move(span_));
}

} // namespace tobit::telemetry
