#pragma once

#include <chrono>
#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>

namespace tobit::cli {

/// One line of progress, drawn over itself at most ten times a second. Without a terminal it draws nothing.
class progress_bar {
public:
  using moment = std::chrono::steady_clock::time_point;

  /// `total` 0: not known, then only what is done is shown. `what`: plural, e.g. "rules".
  progress_bar(std::ostream& to, bool terminal, std::size_t columns, std::string what, std::size_t total);
  ~progress_bar(); ///< clears the line

  void advance(std::size_t done, moment now = std::chrono::steady_clock::now());
  /// Clears the line, so that something else can be written there; the next `advance` draws it again.
  void clear();

  /// The line for this state, at most `columns` wide.
  static std::string line(std::string_view what, std::size_t done, std::size_t total, double seconds,
                          std::size_t columns);

private:
  std::ostream& to_;
  const bool terminal_;
  const std::size_t columns_;
  const std::string what_;
  const std::size_t total_;
  const moment started_;
  moment drawn_at_{};
  bool drawn_ = false;
};

} // namespace tobit::cli
