#pragma once

#include "actors/rule/subject.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tobit::rule {

/// Paths in one `group_by`.
inline constexpr std::size_t group_by_max = 5;
/// Longest text of one value of a key, in bytes; of a longer one the beginning and a hash of the whole are kept.
inline constexpr std::size_t group_value_bytes_max = 200;

/// Appends a value as the bytes that keys are made of.
void append_key_value(std::string& out, const operand& found);

/// Tells for which key an input counts. Immutable; thread-safe.
///
/// A key is kept as bytes that are cheap to make and to hash; equal values give equal bytes (1 and 1.0 are equal, 1 and
/// "1" are not). A field that is not there counts as null, which is a key of its own.
class group_by {
public:
  group_by() = default;
  /// Precondition: each path is without fault.
  explicit group_by(const std::vector<std::string>& paths);

  bool empty() const noexcept { return paths_.empty(); }

  /// Puts the key into `out`, which keeps its memory. Empty without paths.
  void read(const subject& where, std::string& out) const;

  /// The values as a compact JSON array, e.g. `["db-1",8080]`; empty without paths.
  std::string text_of(std::string_view key) const;
  /// For people: {"host": "db-1"}; null without paths.
  json labels_of(std::string_view key) const;
  /// The way back from `text_of`. Nothing if the text is no key of these paths.
  std::optional<std::string> key_of(std::string_view text) const;

private:
  json values_of(std::string_view key) const;

  std::vector<field_path> paths_;
};

} // namespace tobit::rule
