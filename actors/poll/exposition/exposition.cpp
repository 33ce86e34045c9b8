#include "actors/poll/exposition/exposition.hpp"

#include <charconv>
#include <cmath>
#include <limits>

namespace tobit::poll {

namespace {

bool blank(char c) noexcept { return c == ' ' || c == '\t'; }

void skip_blanks(std::string_view line, std::size_t& at) {
  while (at < line.size() && blank(line[at])) ++at;
}

bool same_word(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if ((text[i] | 0x20) != lower[i]) return false;
  return true;
}

/// Reads `{name="value",…}`; since Prometheus 3 the metric's name may stand there too, in quotes.
bool read_labels(std::string_view line, std::size_t& at, series& out) {
  ++at;
  for (skip_blanks(line, at); at < line.size() && line[at] != '}'; skip_blanks(line, at)) {
    std::string name;
    const bool quoted = line[at] == '"';
    if (quoted) {
      if (!read_quoted(line, ++at, name)) return false;
    } else {
      const auto length = name_length(line, at);
      if (length == 0) return false;
      name = line.substr(at, length);
      at += length;
    }
    skip_blanks(line, at);
    if (at < line.size() && line[at] == '=') {
      skip_blanks(line, ++at);
      std::string value;
      if (at >= line.size() || line[at] != '"' || !read_quoted(line, ++at, value)) return false;
      if (out.labels.size() >= series_labels_max) return false;
      out.labels.emplace_back(std::move(name), std::move(value));
    } else if (quoted && out.name.empty()) {
      out.name = std::move(name);
    } else {
      return false;
    }
    skip_blanks(line, at);
    if (at < line.size() && line[at] == ',') ++at;
  }
  if (at >= line.size()) return false;
  ++at;
  return true;
}

/// One line that is no comment. False if it is no sample.
bool read_sample(std::string_view line, series& out) {
  std::size_t at = 0;
  const auto length = name_length(line, at);
  out.name = line.substr(0, length);
  out.labels.clear();
  at = length;
  skip_blanks(line, at);
  if (at < line.size() && line[at] == '{' && !read_labels(line, at, out)) return false;
  if (out.name.empty()) return false;
  skip_blanks(line, at);
  const auto end = std::min(line.find_first_of(" \t", at), line.size());
  return read_value(line.substr(at, end - at), out.value); // a timestamp or an exemplar may follow
}

bool could_be_wanted(std::string_view line, const std::string& name) {
  if (name.empty() || line.front() == '{') return true;
  return line.starts_with(name) && (line.size() == name.size() || name_length(line, 0) == name.size());
}

} // namespace

bool read_value(std::string_view text, double& out) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (same_word(text, "inf") || same_word(text, "infinity"))
    out = std::numeric_limits<double>::infinity();
  else if (same_word(text, "nan"))
    out = std::numeric_limits<double>::quiet_NaN();
  else if (text.empty() || !((text[0] >= '0' && text[0] <= '9') || text[0] == '.'))
    return false;
  else if (auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), out);
           bad != std::errc{} || end != text.data() + text.size())
    return false;
  if (negative) out = -out;
  return true;
}

result<std::vector<series>> read_exposition(std::string_view page, const series_selector& wanted) {
  std::vector<series> found;
  series one;
  for (std::size_t number = 1; !page.empty(); ++number) {
    auto line = page.substr(0, page.find('\n'));
    page.remove_prefix(std::min(page.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    std::size_t begin = 0;
    skip_blanks(line, begin);
    line.remove_prefix(begin);
    if (line.empty() || line.front() == '#') continue;
    const bool plausible = name_length(line, 0) > 0 || line.front() == '{';
    if (plausible && !could_be_wanted(line, wanted.name())) continue;
    if (!plausible || !read_sample(line, one))
      return fail(error_code::external_service_error,
                  "Line " + std::to_string(number) + " is not of Prometheus's text format; is this a page of metrics?");
    if (!wanted.matches(one)) continue;
    if (found.size() >= series_max)
      return fail(error_code::external_service_error,
                  "The selector fits more than " + std::to_string(series_max) + " series; make it narrower.");
    found.push_back(one);
  }
  return found;
}

} // namespace tobit::poll
