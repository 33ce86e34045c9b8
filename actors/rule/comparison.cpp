#include "actors/rule/comparison.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace tobit::rule {

namespace {

using namespace std::string_view_literals;

constexpr std::array op_names{">"sv,  "<"sv,      ">="sv,       "<="sv,          "=="sv,       "!="sv,
                              "in"sv, "not_in"sv, "contains"sv, "starts_with"sv, "ends_with"sv};

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

std::strong_ordering compare_text(std::string_view a, std::string_view b, bool fold) noexcept {
  const auto common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    const auto x = static_cast<unsigned char>(fold ? lower(a[i]) : a[i]);
    const auto y = static_cast<unsigned char>(fold ? lower(b[i]) : b[i]);
    if (x != y) return x <=> y;
  }
  return a.size() <=> b.size();
}

bool same_text(std::string_view a, std::string_view b, bool fold) noexcept {
  return a.size() == b.size() && (fold ? compare_text(a, b, true) == 0 : a == b);
}

bool holds_text(std::string_view text, std::string_view part, bool fold) noexcept {
  if (!fold) return text.find(part) != std::string_view::npos;
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char a, char b) { return lower(a) == lower(b); }) != text.end();
}

bool equals(const operand& a, const operand& b, bool fold) noexcept {
  if (a.numeric && b.numeric) return *a.numeric == *b.numeric;
  if (a.is != b.is) return false;
  switch (a.is) {
  case operand::type::null:
    return true;
  case operand::type::text:
    return same_text(a.text, b.text, fold);
  case operand::type::array:
  case operand::type::object:
    return *a.value == *b.value;
  default:
    return false; // booleans and numbers are numeric; missing equals nothing
  }
}

/// Exact order of an integer and a float: the float is split into its whole part, which fits, and the rest.
template <class Integer>
std::strong_ordering compare_with_real(Integer i, double d) noexcept {
  constexpr double above = std::is_signed_v<Integer> ? 9223372036854775808.0 : 18446744073709551616.0; // 2^63, 2^64
  if (d >= above) return std::strong_ordering::less;
  if (d < static_cast<double>(std::numeric_limits<Integer>::min())) return std::strong_ordering::greater;
  const double whole = std::trunc(d);
  const auto order = i <=> static_cast<Integer>(whole);
  if (order != 0) return order;
  return d > whole   ? std::strong_ordering::less
         : d < whole ? std::strong_ordering::greater
                     : std::strong_ordering::equal;
}

std::string_view type_name(operand::type t) noexcept {
  constexpr std::array names{"missing"sv, "null"sv, "a boolean"sv, "a number"sv, "a text"sv, "a list"sv, "an object"sv};
  return names[static_cast<std::size_t>(t)];
}

constexpr std::strong_ordering reversed(std::strong_ordering order) noexcept { return 0 <=> order; }

} // namespace

std::optional<comparison_op> parse_comparison_op(std::string_view text) noexcept {
  if (text == "=") return comparison_op::equal;
  for (std::size_t i = 0; i < op_names.size(); ++i)
    if (op_names[i] == text) return static_cast<comparison_op>(i);
  return std::nullopt;
}

std::string_view to_string(comparison_op op) noexcept { return op_names[static_cast<std::size_t>(op)]; }

std::string_view comparison_op_list() noexcept {
  return ">, <, >=, <=, ==, !=, in, not_in, contains, starts_with, ends_with";
}

number number::of(std::int64_t v) noexcept {
  number n;
  n.i_ = v;
  return n;
}

number number::of(std::uint64_t v) noexcept {
  number n;
  if (v <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    n.i_ = static_cast<std::int64_t>(v);
  } else {
    n.kind_ = kind::unsigned_integer;
    n.u_ = v;
  }
  return n;
}

number number::of(double v) noexcept {
  number n;
  n.kind_ = kind::real;
  n.d_ = v;
  return n;
}

std::strong_ordering number::operator<=>(const number& other) const noexcept {
  // `of` keeps unsigned for what does not fit into signed, so that unsigned is above every signed one.
  if (kind_ == other.kind_) {
    if (kind_ == kind::signed_integer) return i_ <=> other.i_;
    if (kind_ == kind::unsigned_integer) return u_ <=> other.u_;
    return d_ < other.d_   ? std::strong_ordering::less
           : d_ > other.d_ ? std::strong_ordering::greater
                           : std::strong_ordering::equal;
  }
  if (kind_ == kind::real) return reversed(other <=> *this);
  if (other.kind_ == kind::real)
    return kind_ == kind::signed_integer ? compare_with_real(i_, other.d_) : compare_with_real(u_, other.d_);
  return kind_ == kind::signed_integer ? std::strong_ordering::less : std::strong_ordering::greater;
}

double number::approximate() const noexcept {
  if (kind_ == kind::real) return d_;
  return kind_ == kind::signed_integer ? static_cast<double>(i_) : static_cast<double>(u_);
}

json number::to_json() const {
  if (kind_ == kind::real) return d_;
  return kind_ == kind::signed_integer ? json(i_) : json(u_);
}

std::optional<number> parse_number(std::string_view text) noexcept {
  constexpr auto blanks = " \t\r\n"sv;
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return std::nullopt;
  text = text.substr(first, text.find_last_not_of(blanks) - first + 1);
  if (text.front() == '+') text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  // from_chars also reads "inf" and "nan": only a digit or a dot may follow the sign.
  const char lead = text.front() == '-' && text.size() > 1 ? text[1] : text.front();
  if (!(lead >= '0' && lead <= '9') && lead != '.') return std::nullopt;
  const char* const end = text.data() + text.size();
  std::int64_t i = 0;
  if (auto [at, wrong] = std::from_chars(text.data(), end, i); wrong == std::errc{} && at == end) return number::of(i);
  std::uint64_t u = 0;
  if (auto [at, wrong] = std::from_chars(text.data(), end, u); wrong == std::errc{} && at == end) return number::of(u);
  double d = 0;
  if (auto [at, wrong] = std::from_chars(text.data(), end, d); wrong == std::errc{} && at == end && std::isfinite(d))
    return number::of(d);
  return std::nullopt;
}

operand operand::of(const json* value) noexcept {
  operand out;
  out.value = value;
  if (!value) return out;
  switch (value->type()) {
  case json::value_t::null:
    out.is = type::null;
    break;
  case json::value_t::boolean:
    out.is = type::boolean;
    out.flag = *value->get_ptr<const json::boolean_t*>();
    out.numeric = number::of(std::int64_t{out.flag});
    break;
  case json::value_t::number_integer:
    out.is = type::number;
    out.numeric = number::of(*value->get_ptr<const json::number_integer_t*>());
    break;
  case json::value_t::number_unsigned:
    out.is = type::number;
    out.numeric = number::of(*value->get_ptr<const json::number_unsigned_t*>());
    break;
  case json::value_t::number_float: {
    const double d = *value->get_ptr<const json::number_float_t*>();
    out.is = type::number;
    if (!std::isnan(d)) out.numeric = number::of(d);
    break;
  }
  case json::value_t::string:
    out.is = type::text;
    out.text = *value->get_ptr<const json::string_t*>();
    out.numeric = parse_number(out.text);
    break;
  case json::value_t::array:
    out.is = type::array;
    break;
  default:
    out.is = type::object;
    break;
  }
  return out;
}

operand operand::of_text(std::string_view text) noexcept {
  operand out;
  out.is = type::text;
  out.text = text;
  out.numeric = parse_number(text);
  return out;
}

json operand::show() const {
  if (value) return clip(*value);
  return is == type::text ? json(clip_text(text)) : json(nullptr);
}

std::string clip_text(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  auto cut = bytes_max;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut; // not inside a UTF-8 sequence
  return std::string(text.substr(0, cut)) + "…";
}

json clip(const json& value, std::size_t bytes_max) {
  if (value.is_string()) return clip_text(value.get_ref<const std::string&>(), bytes_max);
  if (!value.is_structured()) return value;
  auto text = to_text(value);
  return text.size() <= bytes_max ? value : json(clip_text(text, bytes_max));
}

expectation::expectation(comparison_op op, json value, bool case_sensitive)
    : op_(op)
    , fold_(!case_sensitive)
    , value_(std::make_unique<const json>(std::move(value)))
    , single_(operand::of(value_.get())) {
  if (op_ != comparison_op::in && op_ != comparison_op::not_in) return;
  list_.reserve(value_->size());
  for (const auto& item : *value_) list_.push_back(operand::of(&item));
}

expectation::outcome compare(comparison_op op, const operand& actual, const operand& expected, bool fold) noexcept {
  using outcome = expectation::outcome;
  if (actual.is == operand::type::missing) return outcome::missing;
  const auto verdict = [](bool matched) { return matched ? outcome::matched : outcome::not_matched; };
  switch (op) {
  case comparison_op::equal:
    return verdict(equals(actual, expected, fold));
  case comparison_op::not_equal:
    return verdict(!equals(actual, expected, fold));
  case comparison_op::contains:
    if (actual.is == operand::type::text && expected.is == operand::type::text)
      return verdict(holds_text(actual.text, expected.text, fold));
    if (actual.is == operand::type::array)
      return verdict(std::any_of(actual.value->begin(), actual.value->end(),
                                 [&](const json& item) { return equals(operand::of(&item), expected, fold); }));
    if (actual.is == operand::type::object && expected.is == operand::type::text)
      return verdict(actual.value->find(expected.text) != actual.value->end());
    return outcome::incomparable;
  case comparison_op::starts_with:
  case comparison_op::ends_with: {
    if (actual.is != operand::type::text || expected.is != operand::type::text) return outcome::incomparable;
    const auto a = actual.text, e = expected.text;
    if (e.size() > a.size()) return outcome::not_matched;
    return verdict(
        same_text(op == comparison_op::starts_with ? a.substr(0, e.size()) : a.substr(a.size() - e.size()), e, fold));
  }
  case comparison_op::in:
  case comparison_op::not_in:
    return outcome::incomparable; // lists are an expectation's
  default:
    break;
  }
  std::strong_ordering order = std::strong_ordering::equal;
  if (actual.numeric && expected.numeric)
    order = *actual.numeric <=> *expected.numeric;
  else if (actual.is == operand::type::text && expected.is == operand::type::text)
    order = compare_text(actual.text, expected.text, fold);
  else
    return outcome::incomparable;
  switch (op) {
  case comparison_op::greater:
    return verdict(order > 0);
  case comparison_op::less:
    return verdict(order < 0);
  case comparison_op::greater_equal:
    return verdict(order >= 0);
  default:
    return verdict(order <= 0);
  }
}

expectation::outcome expectation::compare(const operand& actual) const noexcept {
  if (op_ != comparison_op::in && op_ != comparison_op::not_in) return rule::compare(op_, actual, single_, fold_);
  if (actual.is == operand::type::missing) return outcome::missing;
  const bool found =
      std::any_of(list_.begin(), list_.end(), [&](const operand& item) { return equals(actual, item, fold_); });
  return found == (op_ == comparison_op::in) ? outcome::matched : outcome::not_matched;
}

std::string explain(expectation::outcome outcome, const operand& actual, const expectation& expected) {
  switch (outcome) {
  case expectation::outcome::matched:
    return {};
  case expectation::outcome::missing:
    return "The field is not there.";
  case expectation::outcome::not_matched:
    return clip_text(to_text(actual.show()), 100) + " " + std::string(to_string(expected.op())) + " " +
           clip_text(to_text(expected.value()), 100) + " does not hold.";
  case expectation::outcome::incomparable:
    break;
  }
  return "'" + std::string(to_string(expected.op())) + "' cannot compare " + std::string(type_name(actual.is)) +
         " with " + std::string(type_name(operand::of(&expected.value()).is)) + ".";
}

} // namespace tobit::rule
