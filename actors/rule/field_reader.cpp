#include "actors/rule/field_reader.hpp"

#include "actors/rule/comparison.hpp"

#include <algorithm>
#include <cmath>

namespace tobit::rule {

namespace {

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

std::string in_quotes(std::string_view text) { return "'" + clip_text(text, 80) + "'"; }

std::string joined(const std::vector<std::string_view>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + std::string(name);
  return out;
}

std::string shown(double d) {
  return to_text(d == std::trunc(d) && std::abs(d) < 1e15 ? json(static_cast<std::int64_t>(d)) : json(d));
}

const json empty_object = json::object();

} // namespace

void verdict::refuse(std::string pointer, std::string sentence, error_code code) {
  if (!problem_) problem_ = error{code, std::move(sentence), std::move(pointer)};
}

std::string_view nearest_name(std::string_view wrong, const std::vector<std::string_view>& names) {
  if (wrong.size() > 64) return {};
  std::string_view best;
  auto best_distance = std::max<std::size_t>(1, wrong.size() / 4) + 1;
  for (const auto& name : names)
    if (const auto distance = edit_distance(wrong, name); distance < best_distance) {
      best = name;
      best_distance = distance;
    }
  return best;
}

field_reader::field_reader(verdict& v, const json& object, std::string pointer, std::string what)
    : verdict_(v)
    , object_(object.is_object() ? object : empty_object)
    , pointer_(std::move(pointer))
    , what_(std::move(what)) {
  if (!object.is_object()) verdict_.refuse(pointer_, what_ + " is a JSON object.");
}

bool field_reader::has(std::string_view name) const {
  const auto field = object_.find(name);
  return field != object_.end() && !field->is_null();
}

const json* field_reader::any(std::string_view name) {
  if (std::find(known_.begin(), known_.end(), name) == known_.end()) known_.push_back(name);
  const auto field = object_.find(name);
  return field == object_.end() || field->is_null() ? nullptr : &*field;
}

const json* field_reader::required(std::string_view name, bool optional) {
  const auto* field = any(name);
  if (field || optional) return field;
  // A misspelt field is the more helpful complaint than a missing one; one slip, for what is unknown here may be known
  // later.
  for (const auto& [other, value] : object_.items())
    if (std::find(known_.begin(), known_.end(), other) == known_.end() && other.size() < 64 &&
        edit_distance(other, name) == 1)
      refuse(other, what_ + " has no field " + in_quotes(other) + ". Did you mean " + in_quotes(name) + "?");
  refuse(name, what_ + " needs the field " + in_quotes(name) + ".");
  return nullptr;
}

void field_reader::refuse(std::string_view name, std::string sentence, error_code code) {
  verdict_.refuse(pointer_to(name), std::move(sentence), code);
}

void field_reader::refuse_if_present(std::string_view name, std::string_view sentence) {
  ignored_.push_back(name);
  if (has(name)) refuse(name, std::string(sentence));
}

bool field_reader::check_text(const json& value, std::string pointer, std::string_view name, text_limits limits) {
  const auto complain = [&](std::string sentence) {
    verdict_.refuse(std::move(pointer), in_quotes(name) + std::move(sentence));
    return false;
  };
  if (!value.is_string()) return complain(" is a text.");
  const auto& text = value.get_ref<const std::string&>();
  if (text.size() < limits.min || text.size() > limits.max)
    return complain(" is " + std::to_string(limits.min) + " to " + std::to_string(limits.max) + " bytes long, not " +
                    std::to_string(text.size()) + ".");
  const auto forbidden = [&](char c) {
    if (limits.multiline && (c == '\n' || c == '\r' || c == '\t')) return false;
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  };
  if (std::any_of(text.begin(), text.end(), forbidden)) return complain(" holds a control character; remove it.");
  return true;
}

std::string field_reader::text(std::string_view name, text_limits limits, std::optional<std::string> otherwise) {
  const auto* field = required(name, otherwise.has_value());
  if (!field || !check_text(*field, pointer_to(name), name, limits)) return otherwise.value_or(std::string{});
  return field->get<std::string>();
}

std::int64_t field_reader::integer(std::string_view name, std::int64_t min, std::int64_t max,
                                   std::optional<std::int64_t> otherwise) {
  const auto* field = required(name, otherwise.has_value());
  if (!field) return otherwise.value_or(min);
  // 30.0 is as good as 30: many JSON writers know only floats.
  const auto value = operand::of(field);
  const bool whole = value.is == operand::type::number && value.numeric &&
                     (!field->is_number_float() || field->get<double>() == std::trunc(field->get<double>()));
  if (whole && *value.numeric >= number::of(min) && *value.numeric <= number::of(max))
    return field->get<std::int64_t>();
  refuse(name, in_quotes(name) + " is a whole number from " + std::to_string(min) + " to " + std::to_string(max) + ".");
  return otherwise.value_or(min);
}

double field_reader::real(std::string_view name, double above, double max, std::optional<double> otherwise) {
  const auto* field = required(name, otherwise.has_value());
  if (!field) return otherwise.value_or(max);
  const auto value = operand::of(field);
  const bool numeric = value.numeric && !field->is_boolean();
  const double d = numeric ? value.numeric->approximate() : 0;
  if (numeric && d > above && d <= max) return d;
  refuse(name, in_quotes(name) + " is a number above " + shown(above) + " and at most " + shown(max) + ".");
  return otherwise.value_or(max);
}

bool field_reader::flag(std::string_view name, bool otherwise) {
  const auto* field = any(name);
  if (!field) return otherwise;
  if (field->is_boolean()) return field->get<bool>();
  refuse(name, in_quotes(name) + " is true or false.");
  return otherwise;
}

std::string field_reader::choice(std::string_view name, const std::vector<std::string_view>& choices,
                                 std::optional<std::string> otherwise) {
  const auto* field = required(name, otherwise.has_value());
  if (!field) return otherwise.value_or(std::string(choices.front()));
  if (field->is_string()) {
    const auto& text = field->get_ref<const std::string&>();
    if (std::find(choices.begin(), choices.end(), text) != choices.end()) return text;
    const auto near = nearest_name(text, choices);
    refuse(name, in_quotes(text) + " is not known here; '" + std::string(name) + "' is one of " + joined(choices) +
                     "." + (near.empty() ? "" : " Did you mean " + in_quotes(near) + "?"));
  } else {
    refuse(name, in_quotes(name) + " is one of " + joined(choices) + ".");
  }
  return otherwise.value_or(std::string(choices.front()));
}

std::vector<std::string> field_reader::texts(std::string_view name, text_limits limits, std::size_t count_max) {
  std::vector<std::string> out;
  const auto* field = any(name);
  if (!field) return out;
  if (field->is_string()) {
    if (check_text(*field, pointer_to(name), name, limits)) out.push_back(field->get<std::string>());
    return out;
  }
  if (!field->is_array() || field->size() > count_max) {
    refuse(name, in_quotes(name) + " is a text or a list of at most " + std::to_string(count_max) + " texts.");
    return out;
  }
  for (std::size_t i = 0; i < field->size(); ++i) {
    if (!check_text((*field)[i], pointer_append(pointer_to(name), i), name, limits)) return out;
    out.push_back((*field)[i].get<std::string>());
  }
  return out;
}

json field_reader::table(std::string_view name, std::size_t count_max, std::size_t value_max, bool scalars) {
  auto out = json::object();
  const auto* field = any(name);
  if (!field) return out;
  if (!field->is_object() || field->size() > count_max) {
    refuse(name, in_quotes(name) + " is an object with at most " + std::to_string(count_max) + " members.");
    return out;
  }
  for (const auto& [key, value] : field->items()) {
    const auto at = pointer_append(pointer_to(name), key);
    if (key.empty() || key.size() > 100)
      verdict_.refuse(at, "A name in " + in_quotes(name) + " is 1 to 100 bytes long.");
    else if (scalars && (value.is_number() || value.is_boolean()))
      out[key] = value;
    else if (value.is_string() || !scalars) {
      if (check_text(value, at, key, {0, value_max, scalars})) out[key] = value;
    } else
      verdict_.refuse(at, in_quotes(key) + " is a text, a number or a boolean.");
  }
  return out;
}

void field_reader::ignore(std::initializer_list<std::string_view> names) { ignored_.insert(ignored_.end(), names); }

void field_reader::close() {
  for (const auto& [name, value] : object_.items()) {
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    if (std::find(ignored_.begin(), ignored_.end(), name) != ignored_.end()) continue;
    const auto near = nearest_name(name, known_);
    refuse(name, what_ + " has no field " + in_quotes(name) + "." +
                     (near.empty() ? " It knows " + joined(known_) + "." : " Did you mean " + in_quotes(near) + "?"));
    return;
  }
}

} // namespace tobit::rule
