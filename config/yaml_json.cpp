#include "config/yaml_json.hpp"

#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace tobit::config {

namespace {

json number_or_text(const std::string& text) {
  const char* first = text.data() + (text.size() > 1 && text[0] == '+' ? 1 : 0);
  const char* last = text.data() + text.size();
  std::int64_t whole = 0;
  if (auto [end, bad] = std::from_chars(first, last, whole); bad == std::errc{} && end == last) return whole;
  // from_chars also reads "inf" and "nan", which JSON has no numbers for.
  const bool digits =
      text.find_first_of("0123456789") != std::string::npos && std::isalpha(static_cast<unsigned char>(*first)) == 0;
  double real = 0;
  if (auto [end, bad] = std::from_chars(first, last, real);
      digits && bad == std::errc{} && end == last && std::isfinite(real))
    return real;
  return text;
}

json scalar(const YAML::Node& node) {
  const auto& text = node.Scalar();
  if (node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str") return text;
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return number_or_text(text);
}

} // namespace

json yaml_converter::convert(const YAML::Node& node, const std::string& pointer, int depth) {
  if (depth > json_depth_max) throw YAML::Exception(node.Mark(), "it is nested too deeply");
  if (++nodes_ > nodes_max_) throw YAML::Exception(node.Mark(), "its aliases unfold to too much");
  if (places_) places_(pointer, node.Mark());
  if (node.IsScalar()) return scalar(node);
  if (node.IsSequence()) {
    auto out = json::array();
    for (const auto& item : node)
      out.push_back(convert(item, places_ ? pointer_append(pointer, out.size()) : pointer, depth + 1));
    return out;
  }
  if (!node.IsMap()) return nullptr;
  auto out = json::object();
  for (const auto& pair : node) {
    if (!pair.first.IsScalar()) throw YAML::Exception(pair.first.Mark(), "a key is not a word");
    const auto& key = pair.first.Scalar();
    if (out.contains(key)) throw YAML::Exception(pair.first.Mark(), "'" + key + "' is written twice");
    out[key] = convert(pair.second, places_ ? pointer_append(pointer, key) : pointer, depth + 1);
  }
  return out;
}

} // namespace tobit::config
