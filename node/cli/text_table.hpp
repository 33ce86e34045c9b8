#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tobit::cli {

/// Columns that a text takes on a terminal: wide characters (Hangul, CJK, emoji) count two, combining marks none.
std::size_t display_width(std::string_view utf8) noexcept;

/// `text` without control characters, so that nothing a node sends can drive the terminal.
std::string printable(std::string_view text);

/// Rows under a heading, columns aligned; the last column is not padded.
class text_table {
public:
  explicit text_table(std::vector<std::string> heading) : rows_{std::move(heading)} {}
  /// Cells are made printable. Missing cells are empty.
  void add(std::vector<std::string> cells);
  std::string str() const;

private:
  std::vector<std::vector<std::string>> rows_;
};

} // namespace tobit::cli
