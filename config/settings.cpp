#include "config/settings.hpp"

#include "schemas/redaction.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <utility>

namespace tobit::config {

namespace {

using parsed = tl::expected<value, std::string>;

/// Entries of one list; more is a mistake.
constexpr std::size_t list_length_max = 1'000;
/// Bytes of one text.
constexpr std::size_t text_length_max = 4'096;

tl::unexpected<std::string> refuse(const setting_description& row, std::string_view what) {
  return tl::unexpected<std::string>(std::string(what) + "; allowed: " + limits_in_words(row));
}

/// Whether `number` lies within `limits` (`least..most`), both read by `read`.
template <class Number, class Read>
bool within(std::string_view limits, Number number, Read read) {
  const auto dots = limits.find("..");
  return read(limits.substr(0, dots)) <= number && number <= read(limits.substr(dots + 2));
}

parsed parse_number(const setting_description& row, std::string_view text) {
  const auto number = parse_integer(text);
  if (!number) return refuse(row, "is not a whole number");
  if (!within(row.limits, *number, [](auto t) { return parse_integer(t).value(); }))
    return refuse(row, "is out of range");
  return *number;
}

parsed parse_bytes(const setting_description& row, std::string_view text) {
  const auto bytes = parse_size(text);
  if (!bytes) return refuse(row, "is not a size such as 512KB or 10MB");
  if (!within(row.limits, *bytes, [](auto t) { return parse_size(t).value(); })) return refuse(row, "is out of range");
  return *bytes;
}

parsed parse_span(const setting_description& row, std::string_view text) {
  const auto span = parse_duration(text);
  if (!span) return refuse(row, "is not a duration such as 500ms, 30s, 5m or 7d");
  if (!within(row.limits, *span, [](auto t) { return parse_duration(t).value(); }))
    return refuse(row, "is out of range");
  return *span;
}

parsed parse_choice(const setting_description& row, std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto choices = "|" + std::string(row.limits) + "|";
  if (lower.empty() || lower.find('|') != std::string::npos || choices.find("|" + lower + "|") == std::string::npos)
    return refuse(row, "is not one of the choices");
  return lower;
}

/// Empty texts are always allowed where the default is empty: they mean "none".
parsed parse_text(const setting_description& row, std::string_view text) {
  if (text.size() > text_length_max) return refuse(row, "is longer than 4096 bytes");
  if (text.find('\0') != std::string_view::npos) return refuse(row, "holds a NUL byte");
  if (text.empty() && (row.initial.empty() || row.limits == "path")) return std::string{};
  if (auto violation = format_violation(row.limits, text)) return tl::unexpected<std::string>(std::move(*violation));
  return std::string(text);
}

parsed parse_list(const setting_description& row, std::string_view text) {
  auto entries = split_list(text);
  if (entries.size() > list_length_max) return refuse(row, "has more than 1000 entries");
  for (const auto& entry : entries)
    if (auto violation = format_violation(row.limits, entry))
      return tl::unexpected<std::string>("has the entry '" + entry.substr(0, 100) + "', which " + *violation);
  return entries;
}

} // namespace

std::string_view to_string(source from) noexcept {
  switch (from) {
  case source::initial:
    return "default";
  case source::file:
    return "file";
  case source::environment:
    return "env";
  case source::flag:
    return "flag";
  }
  return "default";
}

std::string to_string(const problem& p) {
  std::string out = p.where;
  if (!p.key.empty()) out += (out.empty() ? "" : ": ") + p.key;
  return out + (out.empty() ? "" : ": ") + p.message;
}

namespace {

parsed parse_by_type(const setting_description& row, std::string_view text) {
  switch (row.type) {
  case setting_type::integer:
    return parse_number(row, text);
  case setting_type::size:
    return parse_bytes(row, text);
  case setting_type::duration:
    return parse_span(row, text);
  case setting_type::choice:
    return parse_choice(row, text);
  case setting_type::list:
    return parse_list(row, text);
  case setting_type::text:
    return parse_text(row, text);
  case setting_type::boolean:
    break;
  }
  const auto yes = parse_boolean(text);
  if (!yes) return refuse(row, "is neither true nor false");
  return *yes;
}

} // namespace

parsed parse_value(const setting_description& row, std::string_view text) {
  auto checked = parse_by_type(row, text);
  if (checked) return checked;
  const std::string subject = row.secret ? "the value" : "'" + redact_secrets(text.substr(0, 100)) + "'";
  return tl::unexpected<std::string>(subject + " " + checked.error());
}

std::string format_value(const setting_description& row, const value& v) {
  switch (row.type) {
  case setting_type::boolean:
    return std::get<bool>(v) ? "true" : "false";
  case setting_type::integer:
    return std::to_string(std::get<std::int64_t>(v));
  case setting_type::size:
    return format_size(std::get<std::int64_t>(v));
  case setting_type::duration:
    return format_duration(std::get<duration_value>(v));
  case setting_type::text:
  case setting_type::choice:
    return std::get<std::string>(v);
  case setting_type::list:
    break;
  }
  std::string out;
  for (const auto& entry : std::get<std::vector<std::string>>(v)) out += (out.empty() ? "" : ",") + entry;
  return out;
}

settings::settings() {
  for (const auto& row : setting_table())
    entries_.push_back({parse_value(row, row.initial).value(), source::initial, {}});
}

std::string settings::shown(setting id) const {
  const auto& row = describe(id);
  auto out = format_value(row, at(id));
  if (row.secret) return out.empty() ? out : std::string(redacted);
  return redact_secrets(out);
}

tl::expected<void, std::string> settings::set(setting id, std::string_view text, source from, std::string origin) {
  auto checked = parse_value(describe(id), text);
  if (!checked) return tl::unexpected<std::string>(std::move(checked.error()));
  entries_[static_cast<std::size_t>(id)] = {std::move(*checked), from, std::move(origin)};
  return {};
}

std::string settings::in_data_dir(const std::string& path) const {
  if (path.empty() || path.front() == '/') return path;
  return (std::filesystem::path(text(setting::data_dir)) / path).string();
}

} // namespace tobit::config
