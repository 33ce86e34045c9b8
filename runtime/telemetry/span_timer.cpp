#include "runtime/telemetry/span_timer.hpp"

#include <utility>

namespace tobit::telemetry {

span_timer::span_timer(span_sink& sink, const clock& time, const call_context& context, std::string_view name)
    : sink_(&sink)
    , time_(&time)
    , begun_(time.steady_now())
    , context_(context)
    , wanted_(sink.wants(context))
    , name_(name) {
  // nop
}

span_timer::span_timer(span_timer&& other) noexcept
    : sink_(std::exchange(other.sink_, nullptr))
    , time_(other.time_)
    , begun_(other.begun_)
    , context_(std::move(other.context_))
    , wanted_(other.wanted_)
    , failed_(other.failed_)
    , name_(std::move(other.name_))
    , attributes_(std::move(other.attributes_)) {
  // nop
}

void span_timer::attribute(std::string_view key, std::string_view value) {
  if (wanted_) attributes_.emplace_back(key, value);
}

void span_timer::fail(std::string_view why) {
  wanted_ = failed_ = true;
  attribute("error", why);
}

void span_timer::finish() noexcept {
  if (!sink_) return;
  auto* sink = std::exchange(sink_, nullptr);
  if (!wanted_) return;
  // Counted back from the end: one look at the calendar less while it is not known whether the span is wanted.
  const auto took = time_->steady_now() - begun_;
  sink->record({context_.trace, context_.span, context_.parent, context_.tenant(), std::move(name_),
                time_->now() - took, took, failed_, std::move(attributes_)});
}

} // namespace tobit::telemetry
