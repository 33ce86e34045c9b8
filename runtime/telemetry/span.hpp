#pragma once

#include "schemas/call_context.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tobit::telemetry {

/// One finished piece of work of a trace.
struct span_record {
  trace_id trace;
  span_id span;
  span_id parent;
  tenant_id tenant;
  std::string name; ///< e.g. "http POST /cep/rules", "rule trigger", "outbox webhook"
  utc_time started_at;
  std::chrono::microseconds duration{0};
  bool failed = false;
  std::vector<std::pair<std::string, std::string>> attributes; ///< no secrets, values at most 500 bytes
};

/// Takes finished spans: a bounded ring per node for inspection, sampled to storage (failed and slow ones always).
/// Thread-safe, never blocks, drops the oldest.
class span_sink {
public:
  virtual ~span_sink() = default;
  virtual void record(span_record span) noexcept = 0;
  /// Whether a span of this context is worth building at all; failed spans are recorded in any case.
  virtual bool wants(const call_context& context) const noexcept = 0;
  /// The latest spans of a trace on this node, oldest first.
  virtual std::vector<span_record> of_trace(const trace_id& trace) const = 0;
};

} // namespace tobit::telemetry
