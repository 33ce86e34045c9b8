#include "actors/rule/text_template.hpp"

#include "actors/rule/comparison.hpp"
#include "actors/rule/subject.hpp"

namespace tobit::rule {

namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// Calls `literal` and `placeholder` for the pieces in order; false if a placeholder is not closed.
template <class Literal, class Placeholder>
bool split(std::string_view text, Literal&& literal, Placeholder&& placeholder) {
  while (!text.empty()) {
    const auto open = text.find("{{");
    if (open > 0) literal(text.substr(0, open));
    if (open == std::string_view::npos) return true;
    const auto close = text.find("}}", open);
    if (close == std::string_view::npos) return false;
    placeholder(trimmed(text.substr(open + 2, close - open - 2)));
    text.remove_prefix(close + 2);
  }
  return true;
}

} // namespace

text_template::text_template(std::string_view text) {
  split(
      text,
      [this](std::string_view literal) {
        parts_.push_back({std::string(literal), false});
      },
      [this](std::string_view path) {
        parts_.push_back({std::string(path), true});
      });
}

std::string text_template::fault_of(std::string_view text) {
  std::string fault;
  const auto check = [&fault](std::string_view path) {
    if (fault.empty() && !path.empty() && std::string_view("#^/>!&{=").find(path.front()) != std::string_view::npos) {
      fault = "'{{" + clip_text(path, 60) +
              "}}' is Mustache; a rule's texts know only '{{path}}'. Sections and lists are "
              "written into a channel's templates.";
      return;
    }
    if (const auto wrong = field_path::fault_of(path); fault.empty() && !wrong.empty())
      fault = "The placeholder '{{" + clip_text(path, 60) + "}}' is not a path: " + std::string(wrong);
  };
  if (!split(
          text, [](std::string_view) {}, check) &&
      fault.empty())
    fault = "A placeholder is not closed; write '{{path}}'.";
  return fault;
}

std::vector<std::string> text_template::placeholders_of(std::string_view text) {
  std::vector<std::string> out;
  split(
      text, [](std::string_view) {}, [&](std::string_view path) { out.emplace_back(path); });
  return out;
}

std::string text_template::render(const lookup& value_of, std::size_t bytes_max) const {
  std::string out;
  for (const auto& p : parts_) {
    out += p.placeholder ? value_of(p.text) : p.text;
    if (out.size() > bytes_max) return clip_text(out, bytes_max);
  }
  return out;
}

} // namespace tobit::rule
