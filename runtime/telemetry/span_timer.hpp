#pragma once

#include "runtime/telemetry/span.hpp"
#include "runtime/time/clock.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tobit::telemetry {

/// Times one piece of work and records it as a span when it is finished or the timer dies. It may be moved to where the
/// work ends, e.g. into a callback. Not thread-safe.
///
///     span_timer timing(spans, time, context, "rule trigger");
///     timing.attribute("rule", id);
///     if (!outcome) timing.fail(outcome.error().text());
class span_timer {
public:
  /// `context`: of the work itself, i.e. a child of its asker's. `sink` and `time` outlive the timer.
  span_timer(span_sink& sink, const clock& time, const call_context& context, std::string_view name);
  span_timer(span_timer&& other) noexcept;
  span_timer(const span_timer&) = delete;
  span_timer& operator=(span_timer&&) = delete;
  span_timer& operator=(const span_timer&) = delete;
  ~span_timer() { finish(); }

  /// No secrets. Ignored if the span is not wanted and has not failed.
  void attribute(std::string_view key, std::string_view value);
  /// The work failed: the span is recorded in any case.
  void fail(std::string_view why);
  /// Records the span now; later calls do nothing.
  void finish() noexcept;

private:
  span_sink* sink_; ///< null once finished
  const clock* time_;
  steady_time begun_;
  call_context context_;
  bool wanted_;
  bool failed_ = false;
  std::string name_;
  std::vector<std::pair<std::string, std::string>> attributes_;
};

} // namespace tobit::telemetry
