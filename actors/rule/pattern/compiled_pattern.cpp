#include "actors/rule/pattern/compiled_pattern.hpp"

#include "actors/rule/pattern/pattern_text.hpp"
#include "actors/rule/text_template.hpp"
#include "schemas/entity/interest_spec.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace tobit::rule::pattern {

namespace {

constexpr std::int64_t second = 1'000'000;

bool any_fits(const std::vector<std::string>& globs, std::string_view text) noexcept {
  return globs.empty() || std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
           return glob == text || entity::glob_matches(glob, text);
         });
}

/// The conditions of a step without those that refer to other steps; null if none is left.
json own_conditions(const json& spec) {
  if (spec.contains("field")) return spec.contains("ref") ? json() : spec;
  const auto list = spec.find("conditions");
  if (list == spec.end()) return nullptr;
  auto own = json::array();
  for (const auto& member : *list)
    if (!member.contains("ref")) own.push_back(member);
  return own.empty() ? json() : json{{"conditions", std::move(own)}, {"logic", spec.value("logic", "AND")}};
}

/// What every event is shown with; no field needs to be kept for it.
bool is_attribute(std::string_view path) {
  constexpr std::array<std::string_view, 5> names{"id", "type", "source", "time", "count"};
  return std::find(names.begin(), names.end(), path) != names.end();
}

} // namespace

compiled_pattern::compiled_pattern(const json& definition) {
  const auto& spec = definition.at("trigger_spec");
  text = line_of(spec);
  within_us = spec.at("within_seconds").get<std::int64_t>() * second;
  strict = spec.at("contiguity") == "strict";
  first_only = spec.at("start") == "first";
  skip_past_last_event = spec.at("after_match") == "skip_past_last_event";
  by_arrival = spec.at("time") == "arrival";
  lateness_us = spec.at("allowed_lateness_seconds").get<std::int64_t>() * second;
  group_by = spec.at("group_by").get<std::vector<std::string>>();
  max_keys = spec.at("max_keys").get<std::size_t>();
  max_matches = spec.at("max_partial_matches").get<std::size_t>();
  max_matches_per_key = spec.at("max_partial_matches_per_key").get<std::size_t>();
  bits forbidden = 0;
  std::int64_t quiet_us = 0;
  for (const auto& one : spec.at("steps")) {
    const auto within = one.value("within_seconds", std::int64_t{0}) * second;
    bits set = 0;
    const auto members = one.find(one.contains("all_of") ? "all_of" : "any_of");
    if (members == one.end())
      set = bits{1} << read_element(one);
    else
      for (const auto& member : *members) set |= bits{1} << read_element(member);
    if (one.value("absent", false)) {
      forbidden |= set;
      quiet_us = std::max(quiet_us, within);
      continue;
    }
    if (steps.empty()) {
      quiet_before = std::exchange(forbidden, 0);
      quiet_before_us = quiet_us > 0 ? quiet_us : within_us;
    }
    step s;
    s.elements = set;
    s.all_of = one.contains("all_of");
    s.min = one.value("min", 1u);
    s.max = one.contains("max")   ? one["max"].get<std::uint32_t>()
            : one.contains("min") ? std::numeric_limits<std::uint32_t>::max()
                                  : 1u;
    s.within_us = within;
    s.forbidden = std::exchange(forbidden, 0);
    quiet_us = 0;
    steps.push_back(s);
  }
  waits = forbidden != 0;
  quiet_after = forbidden;
  quiet_after_us = quiet_us;
  for (const auto& [name, part] : definition.items())
    if (name != "trigger_spec") keep_placeholders(part);
}

std::size_t compiled_pattern::field_index(const std::string& path) {
  std::size_t i = 0;
  while (i < fields.size() && fields[i].text() != path) ++i;
  if (i == fields.size()) fields.emplace_back(path);
  return i;
}

std::uint8_t compiled_pattern::read_element(const json& spec) {
  element e;
  e.name = spec.at("name").get<std::string>();
  e.types = spec.at("types").get<std::vector<std::string>>();
  e.sources = spec.at("sources").get<std::vector<std::string>>();
  if (const auto own = own_conditions(spec); !own.is_null()) e.fits.emplace(condition::compile(own));
  if (const auto keep = spec.find("keep"); keep != spec.end())
    for (const auto& path : *keep) field_index(path.get<std::string>());
  read_references(e, spec);
  elements.push_back(std::move(e));
  return static_cast<std::uint8_t>(elements.size() - 1);
}

void compiled_pattern::read_references(element& e, const json& spec) {
  const auto add = [&](const json& comparison) {
    const auto& ref = comparison.at("ref").get_ref<const std::string&>();
    const auto dot = ref.find('.');
    auto path = ref.substr(dot + 1);
    reference out{};
    const auto earlier = std::find_if(elements.begin(), elements.end(), [&](const element& other) {
      return other.name == std::string_view(ref).substr(0, dot);
    });
    out.element = static_cast<std::uint8_t>(earlier - elements.begin());
    out.last = path.starts_with("last.");
    if (out.last) path.erase(0, 5);
    out.field = field_index(comparison.at("field").get<std::string>());
    out.earlier_field = field_index(path);
    out.op = parse_comparison_op(comparison.at("op").get_ref<const std::string&>()).value_or(comparison_op::equal);
    out.fold = !comparison.value("case_sensitive", true);
    e.references.push_back(out);
  };
  if (spec.contains("ref")) add(spec);
  if (const auto list = spec.find("conditions"); list != spec.end())
    for (const auto& member : *list)
      if (member.contains("ref")) add(member);
}

void compiled_pattern::keep_placeholders(const json& value) {
  if (value.is_structured())
    for (const auto& member : value) keep_placeholders(member);
  if (!value.is_string()) return;
  for (const auto& placeholder : text_template::placeholders_of(value.get_ref<const std::string&>())) {
    const auto dot = placeholder.find('.');
    if (dot == std::string::npos || fields.size() >= fields_max) continue;
    const auto known = std::any_of(elements.begin(), elements.end(), [&](const element& e) {
      return e.name == std::string_view(placeholder).substr(0, dot);
    });
    auto path = placeholder.substr(dot + 1);
    if (path.starts_with("last.")) path.erase(0, 5);
    if (known && !is_attribute(path) && field_path::fault_of(path).empty()) field_index(path);
  }
}

compiled_pattern::glance compiled_pattern::look(const subject& event) const noexcept {
  glance out;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const auto& e = elements[i];
    if (!any_fits(e.types, event.envelope->type) || !any_fits(e.sources, event.envelope->source)) continue;
    out.shown = true;
    if (!e.fits || e.fits->matches(event)) out.fits |= bits{1} << i;
  }
  return out;
}

std::string compiled_pattern::names_of(bits set) const {
  std::string out;
  for (std::size_t i = 0; i < elements.size(); ++i)
    if (set & (bits{1} << i)) out += (out.empty() ? "" : " or ") + elements[i].name;
  return out;
}

} // namespace tobit::rule::pattern
