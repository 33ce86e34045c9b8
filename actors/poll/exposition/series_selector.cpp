#include "actors/poll/exposition/series_selector.hpp"

#include <algorithm>
#include <re2/re2.h>

namespace tobit::poll {

namespace {

constexpr std::int64_t pattern_memory_max = 1 << 20;
constexpr std::string_view name_label = "__name__";

void skip_blanks(std::string_view text, std::size_t& at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r')) ++at;
}

tl::unexpected<error> expected(std::string_view what, std::size_t at) {
  return fail(error_code::validation_error, "A selector is written like http_requests_total{code=\"500\"}; expected " +
                                                std::string(what) + " at byte " + std::to_string(at + 1) + ".");
}

bool alphabetic(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':'; }

std::string_view value_of(const series& one, const std::string& label) {
  if (label == name_label) return one.name;
  for (const auto& [name, value] : one.labels)
    if (name == label) return value;
  return {}; // PromQL: a label that is not there is empty
}

} // namespace

std::size_t name_length(std::string_view text, std::size_t at) noexcept {
  if (at >= text.size() || !alphabetic(text[at])) return 0;
  std::size_t end = at + 1;
  while (end < text.size() && (alphabetic(text[end]) || (text[end] >= '0' && text[end] <= '9'))) ++end;
  return end - at;
}

bool read_quoted(std::string_view text, std::size_t& at, std::string& out) {
  out.clear();
  for (; at < text.size(); ++at) {
    if (text[at] == '"') {
      ++at;
      return true;
    }
    if (text[at] != '\\') {
      out.push_back(text[at]);
      continue;
    }
    if (++at == text.size()) return false;
    if (text[at] == 'n')
      out.push_back('\n');
    else if (text[at] == '"' || text[at] == '\\')
      out.push_back(text[at]);
    else
      out.append({'\\', text[at]}); // such as \. and \d of a pattern
  }
  return false;
}

result<series_selector> series_selector::parse(std::string_view text) {
  if (text.size() > selector_length_max)
    return fail(error_code::validation_error,
                "A selector has at most " + std::to_string(selector_length_max) + " bytes; shorten it.");
  series_selector out;
  std::size_t at = 0;
  skip_blanks(text, at);
  const auto length = name_length(text, at);
  out.name_ = text.substr(at, length);
  at += length;
  skip_blanks(text, at);
  if (at < text.size() && text[at] == '{') {
    ++at;
    for (skip_blanks(text, at); at < text.size() && text[at] != '}'; skip_blanks(text, at)) {
      matcher one;
      const auto label = name_length(text, at);
      if (label == 0) return expected("the name of a label", at);
      one.label = text.substr(at, label);
      at += label;
      skip_blanks(text, at);
      const auto op = text.substr(at, 2);
      const bool pattern = op == "=~" || op == "!~";
      one.negated = op == "!=" || op == "!~";
      if (!pattern && !one.negated && (op.empty() || op[0] != '=')) return expected("one of =, !=, =~, !~", at);
      at += pattern || one.negated ? 2 : 1;
      skip_blanks(text, at);
      if (at >= text.size() || text[at] != '"') return expected("a value in double quotes", at);
      const auto value_at = at++;
      if (!read_quoted(text, at, one.value)) return expected("the closing quote", at);
      if (pattern) {
        re2::RE2::Options options(re2::RE2::Quiet);
        options.set_max_mem(pattern_memory_max);
        options.set_dot_nl(true);
        one.pattern = std::make_shared<const re2::RE2>(one.value, options);
        if (!one.pattern->ok())
          return fail(error_code::validation_error, "The pattern at byte " + std::to_string(value_at + 1) +
                                                        " is not a regular expression: " + one.pattern->error() + ".");
      }
      if (one.label == name_label && !pattern && !one.negated && out.name_.empty())
        out.name_ = one.value;
      else
        out.matchers_.push_back(std::move(one));
      if (out.matchers_.size() > selector_matchers_max)
        return fail(error_code::validation_error,
                    "A selector has at most " + std::to_string(selector_matchers_max) + " matchers; leave some out.");
      skip_blanks(text, at);
      if (at < text.size() && text[at] == ',')
        ++at;
      else if (at >= text.size() || text[at] != '}')
        return expected("',' or '}'", at);
    }
    if (at >= text.size()) return expected("'}'", at);
    ++at;
    skip_blanks(text, at);
  }
  if (at < text.size()) return expected("nothing more (no range, offset or function: use the source 'prometheus')", at);
  if (out.name_.empty() && out.matchers_.empty()) return expected("the name of a metric", 0);
  return out;
}

bool series_selector::matches(const series& one) const {
  if (!name_.empty() && one.name != name_) return false;
  return std::all_of(matchers_.begin(), matchers_.end(), [&](const matcher& m) {
    const auto value = value_of(one, m.label);
    const bool same =
        m.pattern ? re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *m.pattern) : value == m.value;
    return same != m.negated;
  });
}

} // namespace tobit::poll
