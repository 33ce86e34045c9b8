#include "schemas/json.hpp"

#include "schemas/json_text.hpp"

namespace tobit {

namespace {

/// NaN and infinities are what programs write most often that JSON does not know.
std::string_view hint_at(std::string_view text, std::size_t byte) {
  for (const std::string_view word : {"NaN", "nan", "Inf", "inf"})
    for (std::size_t back = 1; back <= word.size() + 1 && back <= byte; ++back)
      if (text.substr(byte - back, word.size()) == word)
        return " JSON knows no NaN and no infinity: leave such a field out, or send null.";
  return {};
}

} // namespace

result<json> parse_json(std::string_view text) {
  // The callback sees every start of an object or array with its depth: nesting is refused while parsing, not after.
  bool too_deep = false;
  auto watch_depth = [&too_deep](int depth, json::parse_event_t, json&) {
    if (depth >= json_depth_max) too_deep = true; // the outermost one has depth 0
    return !too_deep;
  };
  try {
    json value = json::parse(text.begin(), text.end(), watch_depth);
    if (too_deep)
      return fail(error_code::malformed_json,
                  "The JSON is nested deeper than " + std::to_string(json_depth_max) + " levels; flatten it.");
    return value;
  } catch (const json::parse_error& e) {
    return fail(error_code::malformed_json, "The body is not valid JSON near byte " + std::to_string(e.byte) +
                                                "; correct it and send it again." + std::string(hint_at(text, e.byte)));
  } catch (const json::exception&) { // a number out of range
    return fail(error_code::malformed_json, "The JSON holds a number that is too large for a 64-bit float.");
  }
}

std::string to_text(const json& value) {
  std::string out;
  append_json(out, value);
  return out;
}

std::string pointer_append(std::string_view pointer, std::string_view token) {
  std::string out(pointer);
  out.push_back('/');
  for (char c : token) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out.push_back(c);
  }
  return out;
}

std::string pointer_append(std::string_view pointer, std::size_t index) {
  return std::string(pointer) + '/' + std::to_string(index);
}

} // namespace tobit
