#include "actors/rule/pattern/match_report.hpp"

#include "actors/rule/pattern/pattern_text.hpp"

#include <algorithm>

namespace tobit::rule::pattern {

namespace {

/// Puts a value where a path of messages finds it: "a.b" becomes {"a": {"b": …}}.
void put(json& document, std::string_view path, const json& value) {
  auto* at = &document;
  for (auto dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    at = &(*at)[std::string(path.substr(0, dot))];
    if (!at->is_object()) *at = json::object();
    path.remove_prefix(dot + 1);
  }
  (*at)[std::string(path)] = value;
}

json brief(const capture& c) {
  return {{"id", clip_text(c.id, 100)}, {"type", clip_text(c.type, 100)}, {"time", to_rfc3339(from_micros(c.time_us))}};
}

/// What a document may hold of fields; what goes beyond is left out.
constexpr std::size_t field_bytes_max = 32 * 1'024;

json shown(const compiled_pattern& by, const capture& c, std::size_t& budget) {
  auto out = brief(c);
  out["source"] = clip_text(c.source, 200);
  for (std::size_t i = 0; i < c.fields.size(); ++i) {
    const auto& value = c.fields[i];
    if (value.is_null()) continue;
    const auto bytes = by.fields[i].text().size() + (value.is_string() ? value.get_ref<const std::string&>().size()
                                                     : value.is_structured() ? clip_max
                                                                             : 24);
    if (bytes > budget) {
      out["truncated"] = true;
      continue;
    }
    budget -= bytes;
    put(out, by.fields[i].text(), value);
  }
  return out;
}

} // namespace

json to_document(const compiled_pattern& by, const complete_match& match) {
  json out{{"pattern", by.text},
           {"started_at", to_rfc3339(from_micros(match.started_us))},
           {"ended_at", to_rfc3339(from_micros(match.ended_us))},
           {"duration_seconds", static_cast<double>(match.ended_us - match.started_us) / 1e6}};
  auto budget = field_bytes_max;
  for (std::size_t i = 0; i < by.elements.size(); ++i) {
    const auto of_element = [&](const taken& t) { return t.element == i; };
    const auto first = std::find_if(match.events.begin(), match.events.end(), of_element);
    if (first == match.events.end()) continue;
    auto step = shown(by, *first->what, budget);
    auto events = json::array();
    std::uint32_t count = 0;
    const capture* last = nullptr;
    for (const auto& t : match.events) {
      if (!of_element(t)) continue;
      count = std::max(count, t.ordinal);
      last = t.what.get();
      events.push_back(brief(*t.what));
    }
    if (count > 1) step["last"] = shown(by, *last, budget);
    step["count"] = count;
    step["events"] = std::move(events);
    out[by.elements[i].name] = std::move(step);
  }
  return out;
}

trigger_verdict to_verdict(const compiled_pattern& by, const complete_match& match, const json& document,
                           const json& labels) {
  trigger_verdict out;
  out.matched = true;
  out.references = {{"condition_evaluated", true}, {"match", document}};
  out.summary = by.text;
  std::string key;
  if (labels.is_object())
    for (const auto& [name, value] : labels.items())
      key += (key.empty() ? "" : ", ") + name + " " +
             clip_text(value.is_string() ? value.get<std::string>() : to_text(value), 100);
  if (!key.empty()) out.summary += " (" + key + ")";
  const auto micros = match.ended_us - match.started_us;
  if (micros > 0)
    out.summary += ", after " + (micros % 1'000'000 == 0 ? duration_text(micros / 1'000'000)
                                                         : to_text(json(static_cast<double>(micros) / 1e6)) + " s");
  return out;
}

} // namespace tobit::rule::pattern
