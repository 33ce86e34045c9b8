#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace tobit::telemetry {

/// Appends `text` to `out` as the inside of a JSON string, at most `bytes_max` bytes of it and then `…`. What is not
/// UTF-8 becomes U+FFFD. One pass without allocation: the access log writes tens of thousands of lines a second.
void append_escaped(std::string& out, std::string_view text, std::size_t bytes_max);

/// Builds one flat JSON object in the order of the calls.
class json_line {
public:
  explicit json_line(std::size_t reserve) { out_.reserve(reserve), out_.push_back('{'); }
  /// `name` needs no escaping unless it comes from outside; it is escaped all the same.
  json_line& text(std::string_view name, std::string_view value, std::size_t bytes_max);
  /// A number or boolean as it stands.
  json_line& bare(std::string_view name, std::string_view value);
  std::string finish() && {
    out_.push_back('}');
    return std::move(out_);
  }

private:
  void name(std::string_view n);
  std::string out_;
};

} // namespace tobit::telemetry
