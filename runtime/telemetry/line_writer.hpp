#pragma once

#include "runtime/telemetry/log.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tobit::telemetry {

/// Carries finished lines to files and terminals on a thread of its own. Adding a line costs a copy under a lock that
/// is never held during output, so a slow disk delays nobody; beyond the bound lines are dropped and counted.
class line_writer {
public:
  struct options {
    bool console = false;
    std::string file;
    rotation rotate;
    std::size_t waiting_max = 8u << 20;
    std::chrono::milliseconds linger{0}; ///< how long lines may be collected before they are written
  };

  /// Errors: configuration_error.
  static result<std::unique_ptr<line_writer>> open(const options& wanted);
  ~line_writer(); ///< writes what waits
  line_writer(const line_writer&) = delete;
  line_writer& operator=(const line_writer&) = delete;

  /// `line` without its end. False if it was dropped. Never throws.
  bool add(log_level level, std::string_view line) noexcept;
  std::uint64_t dropped() const noexcept;

private:
  struct state;
  explicit line_writer(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

} // namespace tobit::telemetry
