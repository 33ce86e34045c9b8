#include "schemas/event/event.hpp"

#include <charconv>

namespace tobit::event {

json to_cloudevent(const event& e) {
  json out = e.attributes;
  out["specversion"] = "1.0";
  out["id"] = e.id;
  out["source"] = e.source;
  out["type"] = e.type;
  if (!e.subject.empty()) out["subject"] = e.subject;
  out["time"] = to_rfc3339(e.time);
  out["data"] = e.data;
  return out;
}

result<event> from_cloudevent(const json& in) {
  if (!in.is_object()) return fail(error_code::validation_error, "An event is a JSON object.");
  event e;
  for (const auto& [name, value] : in.items()) {
    if (name == "data") {
      e.data = value;
    } else if (name == "specversion") {
      continue;
    } else if (name == "id" || name == "source" || name == "type" || name == "subject" || name == "time") {
      if (!value.is_string())
        return fail(error_code::validation_error, "The attribute '" + name + "' is a string.",
                    pointer_append("", name));
      const auto& text = value.get_ref<const std::string&>();
      if (name == "id")
        e.id = text;
      else if (name == "source")
        e.source = text;
      else if (name == "type")
        e.type = text;
      else if (name == "subject")
        e.subject = text;
      else {
        auto time = parse_rfc3339(text);
        if (!time) return fail(error_code::validation_error, time.error().message, "/time");
        e.time = *time;
      }
    } else {
      e.attributes[name] = value;
    }
  }
  return e;
}

const json* find_path(const json& root, std::string_view dotted_path) {
  const json* at = &root;
  while (true) {
    const auto dot = dotted_path.find('.');
    const auto step = dotted_path.substr(0, dot);
    if (at->is_object()) {
      auto entry = at->find(step);
      if (entry == at->end()) return nullptr;
      at = &*entry;
    } else if (at->is_array()) {
      std::size_t index = 0;
      const auto [end, wrong] = std::from_chars(step.data(), step.data() + step.size(), index);
      if (wrong != std::errc{} || end != step.data() + step.size() || index >= at->size()) return nullptr;
      at = &(*at)[index];
    } else {
      return nullptr;
    }
    if (dot == std::string_view::npos) return at;
    dotted_path.remove_prefix(dot + 1);
  }
}

} // namespace tobit::event
