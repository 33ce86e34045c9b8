#pragma once

#include "schemas/json.hpp"

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// How two values are compared. Nothing here allocates, throws or fails: values that cannot be compared do not match.
namespace tobit::rule {

enum class comparison_op : std::uint8_t {
  greater,
  less,
  greater_equal,
  less_equal,
  equal,
  not_equal,
  in,
  not_in,
  contains,
  starts_with,
  ends_with
};

/// `>` `<` `>=` `<=` `==` `=` `!=` `in` `not_in` `contains` `starts_with` `ends_with`.
std::optional<comparison_op> parse_comparison_op(std::string_view text) noexcept;
/// The one spelling that is stored: `=` becomes `==`.
std::string_view to_string(comparison_op op) noexcept;
/// For messages: all of them, separated by commas.
std::string_view comparison_op_list() noexcept;

/// A number without loss: 64-bit integers keep all their digits.
class number {
public:
  static number of(std::int64_t v) noexcept;
  static number of(std::uint64_t v) noexcept;
  /// Precondition: not NaN.
  static number of(double v) noexcept;

  /// Exact, also between an integer and a float (2^63 is not equal to 2^63-1).
  std::strong_ordering operator<=>(const number& other) const noexcept;
  bool operator==(const number& other) const noexcept { return (*this <=> other) == 0; }
  double approximate() const noexcept;
  json to_json() const;

private:
  enum class kind : std::uint8_t { signed_integer, unsigned_integer, real };
  kind kind_ = kind::signed_integer;
  union {
    std::int64_t i_ = 0;
    std::uint64_t u_;
    double d_;
  };
};

/// Reads a number as JSON and people write it: optional sign, digits, fraction, exponent, blanks around it. No hex, no
/// infinity, no NaN.
std::optional<number> parse_number(std::string_view text) noexcept;

/// A value as a comparison sees it: a JSON value, or the text of an event's attribute. Refers to what it was made of.
struct operand {
  enum class type : std::uint8_t { missing, null, boolean, number, text, array, object };
  type is = type::missing;
  bool flag = false;
  std::string_view text;
  const json* value = nullptr; ///< null for attributes
  /// What numeric coercion makes of it: numbers, texts that are numbers, true as 1 and false as 0.
  std::optional<number> numeric;

  static operand of(const json* value) noexcept;
  static operand of_text(std::string_view text) noexcept;
  /// For references; strings and documents are cut to `clip_max` bytes.
  json show() const;
};

/// The longest value that references show, in bytes of its JSON.
inline constexpr std::size_t clip_max = 500;
/// The value itself if it is small, otherwise the beginning of its text followed by "…".
json clip(const json& value, std::size_t bytes_max = clip_max);
std::string clip_text(std::string_view text, std::size_t bytes_max = clip_max);

/// What a value is compared with, prepared once. Holds its own copy of the value.
class expectation {
public:
  /// Precondition: for `in` and `not_in` the value is a list.
  expectation(comparison_op op, json value, bool case_sensitive);
  expectation(expectation&&) noexcept = default;
  expectation& operator=(expectation&&) noexcept = default;

  enum class outcome : std::uint8_t { matched, not_matched, missing, incomparable };
  outcome compare(const operand& actual) const noexcept;

  comparison_op op() const noexcept { return op_; }
  const json& value() const noexcept { return *value_; }

private:
  comparison_op op_;
  bool fold_;                         ///< ASCII letters are equal in both cases
  std::unique_ptr<const json> value_; ///< at a fixed place: the operands refer to it
  operand single_;
  std::vector<operand> list_; ///< for in and not_in
};

/// Compares two values that are both only known now. Not for `in` and `not_in` (incomparable).
expectation::outcome compare(comparison_op op, const operand& actual, const operand& expected, bool fold) noexcept;

/// A sentence for the references: why an outcome came about. Empty for `matched`.
std::string explain(expectation::outcome outcome, const operand& actual, const expectation& expected);

} // namespace tobit::rule
