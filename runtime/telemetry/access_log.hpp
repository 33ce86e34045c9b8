#pragma once

#include "runtime/telemetry/log.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tobit::telemetry {

/// One answered request. The texts live as long as the call.
struct access_record {
  utc_time at; ///< when the request was complete
  std::string_view method;
  std::string_view path;  ///< without the query, which may hold secrets
  std::string_view route; ///< as registered, e.g. `/cep/rules/{rule_id}`; empty if none matched
  int status = 0;
  std::size_t bytes_in = 0, bytes_out = 0; ///< bodies
  std::chrono::microseconds took{0};
  std::string_view remote;               ///< IP address
  std::string_view agent;                ///< User-Agent
  const call_context* context = nullptr; ///< gives trace_id, tenant, principal and request_id
};

/// One JSON object without a line end: time, method, path, route, status, bytes_in, bytes_out, duration_ms, remote,
/// agent, trace_id, request_id, tenant, principal. `path` and `agent` are cut after 500 bytes.
std::string format_access(const access_record& record);

/// The list of all answered requests. Thread-safe; never blocks and never throws.
class access_log {
public:
  virtual ~access_log() = default;
  virtual void record(const access_record& request) noexcept = 0;
  /// Lines lost because the disk could not keep up.
  virtual std::uint64_t dropped() const noexcept = 0;
};

/// A rotated file of JSON lines, written in batches every 200 ms. Errors: configuration_error.
result<std::unique_ptr<access_log>> open_access_log(const std::string& file, const rotation& rotate = {});
/// Keeps nothing.
std::unique_ptr<access_log> no_access_log();

} // namespace tobit::telemetry
