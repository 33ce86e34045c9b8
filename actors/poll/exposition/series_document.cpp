#include "actors/poll/exposition/series_document.hpp"

#include <algorithm>
#include <cmath>

namespace tobit::poll {

namespace {

constexpr std::size_t examples_max = 3, example_length_max = 120;

json number_or_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  // Whole numbers are shown as such: 5 instead of 5.0.
  if (value == std::floor(value) && std::abs(value) < 9e15) return static_cast<std::int64_t>(value);
  return value;
}

json reading_of(const series& one, std::size_t count) {
  json labels = json::object();
  for (const auto& [name, value] : one.labels) labels[name] = value;
  json out = labels;
  out["labels"] = std::move(labels);
  out["metric"] = one.name;
  out["value"] = number_or_text(one.value);
  out["series"] = count;
  return out;
}

std::string shown(const series& one) {
  std::string out = one.name + "{";
  for (const auto& [name, value] : one.labels) out += (out.back() == '{' ? "" : ",") + name + "=\"" + value + "\"";
  out += "}";
  return out.size() > example_length_max ? out.substr(0, example_length_max) + "…" : out;
}

error several(const std::vector<series>& all) {
  std::string text = "There are " + std::to_string(all.size()) + " series (";
  for (std::size_t i = 0; i < std::min(all.size(), examples_max); ++i) text += (i == 0 ? "" : ", ") + shown(all[i]);
  if (all.size() > examples_max) text += ", …";
  return {error_code::external_service_error,
          text + "); select one, or set 'reduce' to first, max, min, sum or avg, or 'group_by' to judge each."};
}

double total(const std::vector<series>& all) {
  double sum = 0;
  for (const auto& one : all) sum += one.value;
  return sum;
}

/// The outermost; NaN only if there is nothing else.
const series& outermost(const std::vector<series>& all, bool largest) {
  const auto* best = &all.front();
  for (const auto& one : all) {
    if (std::isnan(one.value)) continue;
    if (std::isnan(best->value) || (largest ? one.value > best->value : one.value < best->value)) best = &one;
  }
  return *best;
}

} // namespace

result<json> series_document(const std::vector<series>& all, std::string_view reduce) {
  if (reduce == "each") {
    json readings = json::array();
    for (const auto& one : all) readings.push_back(reading_of(one, 1));
    return json{{"readings", std::move(readings)}};
  }
  if (all.empty()) return json{{"value", nullptr}, {"labels", json::object()}, {"series", 0}};
  if (reduce == "max" || reduce == "min") return reading_of(outermost(all, reduce == "max"), all.size());
  if (reduce == "sum" || reduce == "avg") {
    series combined;
    combined.name = all.front().name;
    combined.value = total(all) / (reduce == "avg" ? static_cast<double>(all.size()) : 1.0);
    return reading_of(combined, all.size());
  }
  if (all.size() > 1 && reduce != "first") return tl::unexpected(several(all));
  return reading_of(all.front(), all.size());
}

} // namespace tobit::poll
