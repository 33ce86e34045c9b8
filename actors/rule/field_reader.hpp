#pragma once

#include "schemas/json.hpp"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Reading what users write, with precise complaints.
namespace tobit::rule {

/// Collects the first problem of a document. Reading goes on with defaults after it, so that readers stay straight.
class verdict {
public:
  /// Keeps the first complaint only.
  void refuse(std::string pointer, std::string sentence, error_code code = error_code::validation_error);
  bool good() const noexcept { return !problem_; }
  /// Precondition: not good.
  const error& problem() const noexcept { return *problem_; }

private:
  std::optional<error> problem_;
};

/// The nearest of `names` to a misspelt one (edit distance at most a quarter of its length), or empty.
std::string_view nearest_name(std::string_view wrong, const std::vector<std::string_view>& names);

/// The fields of one object. Every field that is asked for is known; `close` refuses the others.
class field_reader {
public:
  /// Refuses anything but an object. `what` names it in sentences: "trigger_spec".
  field_reader(verdict& v, const json& object, std::string pointer, std::string what);

  struct text_limits {
    std::size_t min = 1, max = 200; ///< in bytes
    bool multiline = false;         ///< line breaks and tabs allowed
  };
  /// `otherwise` is taken if the field is absent or null; without it the field is required.
  std::string text(std::string_view name, text_limits limits, std::optional<std::string> otherwise = std::nullopt);
  std::int64_t integer(std::string_view name, std::int64_t min, std::int64_t max,
                       std::optional<std::int64_t> otherwise = std::nullopt);
  /// Takes a JSON number or a text that is one. `above`: exclusive lower bound.
  double real(std::string_view name, double above, double max, std::optional<double> otherwise = std::nullopt);
  bool flag(std::string_view name, bool otherwise);
  std::string choice(std::string_view name, const std::vector<std::string_view>& choices,
                     std::optional<std::string> otherwise = std::nullopt);
  /// A text or a list of texts (at most `count_max`), each within `limits`; absent: empty list.
  std::vector<std::string> texts(std::string_view name, text_limits limits, std::size_t count_max);
  /// An object of texts (or, with `scalars`, also numbers and booleans); absent: empty object.
  json table(std::string_view name, std::size_t count_max, std::size_t value_max, bool scalars);
  /// The field's value, or null if it is absent or null. For nested documents.
  const json* any(std::string_view name);
  /// The same for a required field: refuses its absence.
  const json* needed(std::string_view name) { return required(name, false); }

  bool has(std::string_view name) const;                                       ///< there and not null
  bool present(std::string_view name) const { return object_.contains(name); } ///< there, perhaps null
  const json& raw(std::string_view name) const { return *object_.find(name); } ///< precondition: present
  /// Refuses the field with a sentence if it is there: known, but not taken here.
  void refuse_if_present(std::string_view name, std::string_view sentence);
  void refuse(std::string_view name, std::string sentence, error_code code = error_code::validation_error);
  std::string pointer_to(std::string_view name) const { return pointer_append(pointer_, name); }
  const std::string& pointer() const noexcept { return pointer_; }
  verdict& problems() noexcept { return verdict_; }

  /// Ignores these fields if they are there.
  void ignore(std::initializer_list<std::string_view> names);
  /// Refuses every field that was never asked for, and names the nearest known one.
  void close();

private:
  const json* required(std::string_view name, bool optional);
  bool check_text(const json& value, std::string pointer, std::string_view name, text_limits limits);

  verdict& verdict_;
  const json& object_;
  std::string pointer_, what_;
  std::vector<std::string_view> known_;   ///< what suggestions come from
  std::vector<std::string_view> ignored_; ///< neither refused by `close` nor suggested
};

} // namespace tobit::rule
