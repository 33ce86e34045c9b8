#pragma once

#include "runtime/telemetry/log.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tobit::telemetry {

/// One answered request. Neither query nor headers nor bodies: they may hold secrets.
struct access_record {
  utc_time at; ///< when the request was complete
  std::string method, path;
  std::string route; ///< the template, e.g. `/cep/rules/{rule_id}`; empty if none matched
  int status = 0;
  std::size_t bytes_in = 0, bytes_out = 0; ///< bodies
  std::chrono::microseconds duration{0};
  std::string remote_address, user_agent;
  std::string tenant, principal; ///< empty before somebody signed in
  std::string request_id, trace_id, parent_trace_id;
};

/// One JSON object without a line end: time, method, path, route, status, bytes_in, bytes_out, duration_ms,
/// remote_address and, where known, user_agent, tenant, principal, request_id, trace_id, parent_trace_id. Texts are cut
/// after 500 bytes.
std::string format_access(const access_record& record);

/// The list of all answered requests. Thread-safe; never blocks and never throws.
class access_log {
public:
  virtual ~access_log() = default;
  virtual void write(const access_record& record) noexcept = 0;
  /// Lines lost because the disk could not keep up.
  virtual std::uint64_t dropped() const noexcept { return 0; }
};

/// A rotated file of JSON lines, written in batches every 200 ms. Errors: configuration_error.
result<std::unique_ptr<access_log>> open_access_log(const std::string& file, const rotation& rotate = {});
/// Keeps nothing.
std::unique_ptr<access_log> no_access_log();

} // namespace tobit::telemetry
