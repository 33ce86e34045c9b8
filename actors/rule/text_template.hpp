#pragma once

#include "schemas/json.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tobit::rule {

/// Text with `{{path}}` placeholders, split once. What stands in for a placeholder is never read as a template again
/// and nothing is escaped; a path that leads nowhere gives nothing.
class text_template {
public:
  /// Precondition: `fault_of(text)` is empty.
  explicit text_template(std::string_view text);

  /// A sentence that says what is wrong with a template, or empty.
  static std::string fault_of(std::string_view text);

  /// The paths between the braces, in order. Precondition: `fault_of(text)` is empty; otherwise those before the fault.
  static std::vector<std::string> placeholders_of(std::string_view text);

  using lookup = std::function<std::string(const std::string& path)>;
  /// At most `bytes_max` bytes; a longer text is cut.
  std::string render(const lookup& value_of, std::size_t bytes_max) const;

private:
  struct part {
    std::string text;
    bool placeholder = false;
  };
  std::vector<part> parts_;
};

} // namespace tobit::rule
