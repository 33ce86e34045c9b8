#pragma once

#include "actors/rule/comparison.hpp"
#include "schemas/event/event.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tobit::rule {

/// What a rule looks at: a payload, or an event with its data and attributes. Refers to what it was made of.
struct subject {
  const json* data = nullptr;             ///< never null while in use
  const event::event* envelope = nullptr; ///< null for payloads that are no events

  static subject of(const json& payload) noexcept { return {&payload, nullptr}; }
  static subject of(const event::event& e) noexcept { return {&e.data, &e}; }
};

/// Longest path in bytes and steps.
inline constexpr std::size_t field_path_length_max = 200;
inline constexpr std::size_t field_path_steps_max = 16;

/// A dotted path, split once. Digits index lists.
class field_path {
public:
  /// Precondition: `fault_of(text)` is empty.
  explicit field_path(std::string text);

  /// A sentence that says what is wrong with a path, or empty.
  static std::string_view fault_of(std::string_view text) noexcept;

  const std::string& text() const noexcept { return text_; }

  /// The value at this path below `root`, or null. Also finds a member whose name holds the dots literally.
  const json* in(const json& root) const noexcept;

  /// Looks into the data, then into the event's attributes (`data.` in front is allowed there), then below `metrics` of
  /// the data. Allocates nothing (the attribute `time` is put into a text of the thread first; it is valid until the
  /// next call there).
  operand in(const subject& where) const noexcept;

private:
  struct step {
    std::uint16_t offset, length; ///< in `text_`; not a view, so that the path can be moved
    std::size_t index;            ///< if all digits, else the largest value
  };
  std::string_view name_of(const step& s) const noexcept { return std::string_view(text_).substr(s.offset, s.length); }
  const json* descend(const json& root, std::size_t first_step) const noexcept;
  operand attribute(const event::event& e) const noexcept;

  std::string text_;
  std::vector<step> steps_;
};

} // namespace tobit::rule
