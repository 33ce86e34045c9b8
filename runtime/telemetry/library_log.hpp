#pragma once

#include "runtime/telemetry/log.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tobit::telemetry {

/// A line that was written as `some.key name=value name="value" and a sentence`, taken apart.
struct parsed_line {
  std::string_view key;
  std::string prose; ///< what is no `name=value`
  std::vector<std::pair<std::string_view, std::string_view>> fields;
};
/// Reads such a line; views point into it.
parsed_line parse_line(std::string_view line);

/// Sends what rooms and libraries write through spdlog's default logger into `target`, in the same form as everything
/// else, secrets masked. Until then and after `target` ended such lines go to standard error. One target at a time, the
/// last wins. Thread-safe.
void adopt_library_log(logger& target);
/// Ends that. `open_log`'s loggers call it themselves when they end.
void release_library_log(const logger& target) noexcept;

} // namespace tobit::telemetry
