#include "actors/rule/pattern/pattern_text.hpp"

#include "actors/rule/comparison.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <vector>

namespace tobit::rule::pattern {

namespace {

bool is_word(char c) noexcept { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> out;
  bool inside = false, grows = false; // inside braces; the last word is not complete
  for (const char c : line) {
    if (!inside && (c == ' ' || c == '\t')) {
      grows = false;
    } else if (!inside && (c == ',' || c == '(' || c == ')')) {
      out.emplace_back(1, c);
      grows = false;
    } else if (c != ' ' || !inside) {
      if (!grows || (c == '{' && !inside)) out.emplace_back();
      grows = true;
      out.back() += c;
      if (c == '{') inside = true;
      if (c == '}') inside = grows = false;
    }
  }
  return out;
}

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (wrong != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::optional<std::int64_t> duration(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  const auto number = whole(text.substr(0, text.size() - 1));
  const std::int64_t unit = text.back() == 's'   ? 1
                            : text.back() == 'm' ? 60
                            : text.back() == 'h' ? 3'600
                            : text.back() == 'd' ? 86'400
                                                 : 0;
  if (!number || unit == 0 || *number > 100'000'000) return std::nullopt;
  return *number * unit;
}

/// Reads words from left to right; the first complaint stands.
class line_reader {
public:
  line_reader(std::string_view line, const json& where) : words_(split(line)), where_(where) {}

  result<json> read() {
    json out{{"steps", json::array()}};
    if (next_is("every") || next_is("first")) out["start"] = lower(words_[at_++]);
    auto& steps = out["steps"];
    steps.push_back(read_step());
    while (good() && at_ < words_.size() && !next_is("within")) {
      const bool then = accept("then") || accept("->");
      if (!then && !(next_is("and") && at_ + 1 < words_.size() && (is(at_ + 1, "no") || is(at_ + 1, "not"))))
        return complain("After a step comes 'then', 'and no' or 'within', not '" + clip_text(words_[at_], 60) + "'.");
      if (!then) ++at_;
      steps.push_back(read_step());
    }
    if (good() && !accept("within"))
      return complain("Say how long the pattern may take: '… within 5m'. Without it, it would wait for ever.");
    if (good()) read_end(out);
    if (!good()) return fail(error_code::validation_error, complaint_);
    return out;
  }

private:
  bool good() const { return complaint_.empty(); }
  tl::unexpected<error> complain(std::string sentence) {
    if (good()) complaint_ = std::move(sentence);
    return fail(error_code::validation_error, complaint_);
  }
  bool is(std::size_t at, std::string_view word) const { return at < words_.size() && lower(words_[at]) == word; }
  bool next_is(std::string_view word) const { return is(at_, word); }
  bool accept(std::string_view word) { return next_is(word) && ++at_ > 0; }

  json read_step() {
    const bool absent = accept("no") || accept("not");
    auto step = read_event();
    if (at_ < words_.size() && words_[at_].starts_with('{')) read_repeat(step, words_[at_++]);
    for (const auto* word : {"and", "or"}) {
      if (!next_is(word) || is(at_ + 1, "no") || is(at_ + 1, "not")) continue;
      if (step.contains("min"))
        return complain("Only a single event is repeated; write '" + std::string(word) +
                        "' between events without '{…}'."),
               step;
      auto members = json::array({std::move(step)});
      while (good() && next_is(word) && !is(at_ + 1, "no") && !is(at_ + 1, "not")) {
        ++at_;
        members.push_back(read_event());
      }
      if (next_is("and") || next_is("or"))
        if (!is(at_ + 1, "no") && !is(at_ + 1, "not"))
          complain("'and' and 'or' in one step can be read in two ways; write them as steps in JSON.");
      step = {{*word == 'a' ? "all_of" : "any_of", std::move(members)}};
      break;
    }
    if (absent) step["absent"] = true;
    return step;
  }

  json read_event() {
    constexpr std::array<std::string_view, 12> words{"then",   "->", "and",   "or",    "no", "not",
                                                     "within", "by", "every", "first", ",",  "("};
    if (at_ >= words_.size() || std::find(words.begin(), words.end(), lower(words_[at_])) != words.end() ||
        words_[at_] == ")" || words_[at_].starts_with('{')) {
      complain(at_ >= words_.size() ? "The pattern ends where an event is expected."
                                    : "'" + clip_text(words_[at_], 60) + "' stands where an event is expected.");
      return json::object();
    }
    const auto& word = words_[at_++];
    const auto equals = word.find('=');
    auto name = word.substr(0, equals);
    const auto type = equals == std::string::npos ? word : word.substr(equals + 1);
    if (type.empty()) complain("'" + clip_text(word, 60) + "' has no event type after the '='.");
    if (equals == std::string::npos) {
      std::replace_if(
          name.begin(), name.end(), [](char c) { return !is_word(c); }, '_');
      while (name.size() > 1 && name.back() == '_') name.pop_back();
      if (std::isalpha(static_cast<unsigned char>(name.front())) == 0) name = "e" + name;
      name.resize(std::min<std::size_t>(name.size(), 38));
      const auto plain = name;
      for (int n = 2; std::find(names_.begin(), names_.end(), name) != names_.end(); ++n)
        name = plain + std::to_string(n);
    }
    names_.push_back(name);
    const auto own = where_.is_object() ? where_.find(name) : where_.end();
    auto out = where_.is_object() && own != where_.end() && own->is_object() ? *own : json::object();
    out["name"] = name;
    if (!out.contains("types") && !out.contains("event_type")) out["types"] = json::array({type});
    return out;
  }

  void read_repeat(json& step, std::string_view text) {
    const auto inner = text.size() > 2 && text.back() == '}' ? text.substr(1, text.size() - 2) : std::string_view{};
    const auto comma = inner.find(',');
    const auto low = whole(inner.substr(0, comma));
    const auto high = comma == std::string_view::npos ? low : whole(inner.substr(comma + 1));
    const bool open = comma != std::string_view::npos && comma + 1 == inner.size();
    if (!low || (!high && !open)) {
      complain("'" + clip_text(text, 60) + "' is no repetition; write {3}, {3,} or {3,5}.");
      return;
    }
    step["min"] = *low;
    if (!open) step["max"] = *high;
  }

  void read_end(json& out) {
    const auto time = at_ < words_.size() ? duration(words_[at_]) : std::nullopt;
    if (!time) {
      complain("After 'within' comes a time: 30s, 5m, 2h or 1d.");
      return;
    }
    ++at_;
    out["within_seconds"] = *time;
    if (accept("by")) {
      auto fields = json::array();
      do {
        if (at_ >= words_.size() || words_[at_] == ",") {
          complain("After 'by' come the fields that events of one match have in common: 'by user, host'.");
          return;
        }
        fields.push_back(words_[at_++]);
      } while (accept(","));
      out["group_by"] = std::move(fields);
    }
    if (at_ < words_.size())
      complain("'" + clip_text(words_[at_], 60) +
               "' stands behind the end of the pattern; 'within' and 'by' come last.");
  }

  std::vector<std::string> words_, names_;
  const json& where_;
  std::size_t at_ = 0;
  std::string complaint_;
};

std::string step_text(const json& step) {
  for (const auto* word : {"all_of", "any_of"}) {
    if (!step.contains(word)) continue;
    std::string out;
    for (const auto& member : step[word])
      out += (out.empty() ? "" : word[1] == 'l' ? " and " : " or ") + member.at("name").get<std::string>();
    return "(" + out + ")";
  }
  return step.at("name").get<std::string>();
}

std::string repeat_text(const json& step) {
  if (!step.contains("min")) return {};
  const auto min = step["min"].get<std::int64_t>();
  const auto max = step.value("max", std::int64_t{0});
  if (max == min) return min == 1 ? "" : "{" + std::to_string(min) + "}";
  return "{" + std::to_string(min) + "," + (max > 0 ? std::to_string(max) : "") + "}";
}

} // namespace

result<json> parse_pattern_text(std::string_view line, const json& where) { return line_reader{line, where}.read(); }

std::string duration_text(std::int64_t seconds) {
  if (seconds % 86'400 == 0) return std::to_string(seconds / 86'400) + "d";
  if (seconds % 3'600 == 0) return std::to_string(seconds / 3'600) + "h";
  if (seconds % 60 == 0) return std::to_string(seconds / 60) + "m";
  return std::to_string(seconds) + "s";
}

std::string line_of(const json& trigger_spec) {
  std::string out;
  for (const auto& step : trigger_spec.at("steps")) {
    const bool absent = step.value("absent", false);
    if (!out.empty()) out += absent ? " and " : " then ";
    out += (absent ? "no " : "") + step_text(step) + repeat_text(step);
    if (step.contains("within_seconds")) out += " for " + duration_text(step["within_seconds"].get<std::int64_t>());
    if (step.contains("within_seconds") && !absent) out.replace(out.rfind(" for "), 5, " in ");
  }
  out += " within " + duration_text(trigger_spec.at("within_seconds").get<std::int64_t>());
  std::string by;
  for (const auto& field : trigger_spec.at("group_by")) by += (by.empty() ? " by " : ", ") + field.get<std::string>();
  return out + by;
}

} // namespace tobit::rule::pattern
