#pragma once

#include "runtime/telemetry/metrics.hpp"
#include "runtime/telemetry/span.hpp"
#include "runtime/telemetry/span_lane.hpp"
#include "runtime/telemetry/span_ring.hpp"
#include "runtime/time/clock.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace tobit::telemetry {

struct span_options {
  std::size_t ring_max = 10'000; ///< spans kept for inspection; about 400 bytes each
  double keep_ratio = 1;         ///< share of the traces whose spans are built at all (failed ones always are)
  std::chrono::microseconds slow{500'000}; ///< from here on a span is sent to the outlets in any case
  std::chrono::milliseconds flush_interval{200};
};

/// The spans of one node: all in a ring, a sample of them to outlets (storage, a collector). A trace is in a sample
/// whole or not at all, on every node, because the trace id decides. Thread-safe.
///
/// Order: make it, add outlets, `start`; destroy it before what the outlets use (database, HTTP client) or after, as it
/// suits: answers that come later are ignored.
class span_recorder final : public span_sink {
public:
  /// `figures` may be null.
  span_recorder(const span_options& options, const clock& time, metrics* figures);
  ~span_recorder() override; ///< sends what waits once more, without waiting for the answer

  void add_outlet(std::unique_ptr<span_outlet> outlet, const outlet_options& options);
  /// Flushes regularly on a thread of its own. No outlets may be added afterwards.
  void start();
  /// Sends what is due to each outlet that is free.
  void flush();

  void record(span_record span) noexcept override;
  bool wants(const call_context& context) const noexcept override;
  std::vector<span_record> of_trace(const trace_id& trace) const override;

private:
  const span_options options_;
  const clock& time_;
  metrics* const figures_;
  span_ring ring_;
  std::vector<std::shared_ptr<span_lane>> lanes_;

  std::mutex guard_;
  std::condition_variable stop_requested_;
  bool stopping_ = false;
  std::thread flusher_;
};

/// Longest value of an attribute, in bytes; most attributes of a span.
inline constexpr std::size_t attribute_length_max = 500;
inline constexpr std::size_t attributes_max = 32;

} // namespace tobit::telemetry
