#pragma once

#include "runtime/telemetry/metrics.hpp"
#include "runtime/telemetry/span_outlet.hpp"
#include "schemas/time.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace tobit::telemetry {

/// What goes to one outlet, and how much of it may wait.
struct outlet_options {
  double ratio = 0.01;         ///< share of the traces that are sent whole; failed and slow spans are sent in any case
  std::size_t batch_max = 256; ///< spans in one sending
  std::size_t queue_max = 4'096; ///< spans waiting while the outlet is busy; beyond it they are dropped and counted
  int attempts_max = 4;          ///< sendings of one batch
};

/// The queue in front of one outlet: one batch under way at a time, the rest waits, bounded. Thread-safe.
class span_lane : public std::enable_shared_from_this<span_lane> {
public:
  /// `figures` may be null.
  span_lane(std::unique_ptr<span_outlet> outlet, const outlet_options& options, metrics* figures);

  const outlet_options& options() const noexcept { return options_; }
  void add(const span_record& span) noexcept;
  /// Sends the next batch if the outlet is free and not in a pause.
  void flush(steady_time now);
  /// Forgets what waits. Afterwards the metrics are not touched any more, also if an answer comes late.
  void close();

private:
  void settled(span_outlet::verdict verdict, std::chrono::milliseconds pause);
  void lose(std::size_t spans) noexcept; ///< with the lock held

  const std::unique_ptr<span_outlet> outlet_;
  const outlet_options options_;
  std::mutex guard_;
  metrics* figures_;
  std::vector<span_record> waiting_;
  std::vector<span_record> under_way_;
  bool busy_ = false;
  int attempts_ = 0; ///< of the batch in `under_way_`
  std::chrono::milliseconds pause_{0};
  steady_time resume_at_ = steady_time::min();
};

} // namespace tobit::telemetry
