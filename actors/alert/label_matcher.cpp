#include "actors/alert/label_matcher.hpp"

#include <algorithm>
#include <array>
#include <re2/re2.h>

namespace tobit::alert {

namespace {

constexpr std::int64_t pattern_memory_max = 1 << 20;

std::shared_ptr<const re2::RE2> compiled(const std::string& pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(pattern_memory_max);
  return std::make_shared<const re2::RE2>(pattern, options);
}

/// `name op value`; the value may stand in double quotes. The operators that begin alike: the longer ones first.
json from_text(std::string_view text) {
  for (std::string_view op : {"!=", "=~", "!~", "="}) {
    const auto at = text.find(op);
    // The first operator character decides: in `a="b!=c"` the text after it is a value.
    if (at == std::string_view::npos || text.find_first_of("=!") != at) continue;
    const auto trimmed = [](std::string_view part) {
      while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
      while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
      return part;
    };
    auto value = trimmed(text.substr(at + op.size()));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    return {
        {"label", std::string(trimmed(text.substr(0, at)))}, {"op", std::string(op)}, {"value", std::string(value)}};
  }
  return nullptr;
}

json read_one(rule::verdict& v, const json& written, const std::string& pointer) {
  json spec = written;
  if (written.is_string()) {
    spec = from_text(written.get_ref<const std::string&>());
    if (spec.is_null()) {
      v.refuse(pointer, "A matcher reads like host=\"db-1\" or host=~\"db-.*\"; operators are =, !=, =~ and !~.");
      return json::object();
    }
  }
  rule::field_reader in{v, spec, pointer, "A matcher"};
  json out{{"label", in.text("label", {1, 100})}, {"op", in.choice("op", {"=", "!=", "=~", "!~", "in"}, "=")}};
  if (out["op"] == "in") {
    out["value"] = in.texts("value", {0, 500}, 100);
    if (out["value"].empty()) in.refuse("value", "'in' needs a list of at least one text.");
  } else {
    const bool pattern = out["op"] == "=~" || out["op"] == "!~";
    out["value"] = in.text("value", {0, pattern ? pattern_bytes_max : 500});
    if (v.good() && pattern)
      if (const auto compiled_pattern = compiled(out["value"].get<std::string>()); !compiled_pattern->ok())
        in.refuse("value", "The regular expression is not valid: " + compiled_pattern->error() +
                               ". The syntax is RE2's: no look-ahead, no back-references.");
  }
  in.close();
  return out;
}

const std::string& label_of(const json& labels, const std::string& name) {
  static const std::string nothing;
  if (!labels.is_object()) return nothing;
  const auto found = labels.find(name);
  return found != labels.end() && found->is_string() ? found->get_ref<const std::string&>() : nothing;
}

} // namespace

label_matcher::label_matcher(const json& spec) : label_(spec.at("label").get<std::string>()) {
  const auto& op = spec.at("op").get_ref<const std::string&>();
  kind_ = op == "="    ? kind::equal
          : op == "!=" ? kind::not_equal
          : op == "=~" ? kind::pattern
          : op == "!~" ? kind::not_pattern
                       : kind::in;
  if (kind_ == kind::in)
    values_ = spec.at("value").get<std::vector<std::string>>();
  else
    value_ = spec.at("value").get<std::string>();
  if (kind_ == kind::pattern || kind_ == kind::not_pattern) pattern_ = compiled(value_);
}

bool label_matcher::matches(const json& labels) const {
  const auto& value = label_of(labels, label_);
  switch (kind_) {
  case kind::equal:
    return value == value_;
  case kind::not_equal:
    return value != value_;
  case kind::pattern:
    return re2::RE2::FullMatch(value, *pattern_);
  case kind::not_pattern:
    return !re2::RE2::FullMatch(value, *pattern_);
  case kind::in:
    break;
  }
  return std::find(values_.begin(), values_.end(), value) != values_.end();
}

matcher_list::matcher_list(const json& specs) {
  all_.reserve(specs.size());
  for (const auto& spec : specs) all_.emplace_back(spec);
}

bool matcher_list::matches(const json& labels) const {
  return std::all_of(all_.begin(), all_.end(), [&](const label_matcher& m) { return m.matches(labels); });
}

json read_matchers(rule::verdict& v, const json* list, const std::string& pointer) {
  json out = json::array();
  if (!list) return out;
  if (!list->is_array() || list->size() > matchers_max) {
    v.refuse(pointer, "Matchers are a list of at most " + std::to_string(matchers_max) + ".");
    return out;
  }
  for (std::size_t i = 0; i < list->size() && v.good(); ++i)
    out.push_back(read_one(v, (*list)[i], pointer_append(pointer, i)));
  return out;
}

} // namespace tobit::alert
