#include "actors/event/canonical_event.hpp"

#include "actors/event/attribute_rules.hpp"
#include "schemas/ids.hpp"
#include "schemas/json.hpp"

#include <algorithm>
#include <limits>

namespace tobit::event {

namespace {

constexpr std::string_view source_of_bare_objects = "/ingest";

error wrong(std::string_view name, std::string sentence) {
  return {error_code::validation_error, std::move(sentence), pointer_append("", name)};
}

std::optional<std::string_view>* known_text(event_fields& fields, std::string_view name) {
  if (name == "id") return &fields.id;
  if (name == "source") return &fields.source;
  if (name == "type") return &fields.type;
  if (name == "subject") return &fields.subject;
  if (name == "time") return &fields.time;
  if (name == "datacontenttype") return &fields.data_content_type;
  if (name == "dataschema") return &fields.data_schema;
  return nullptr;
}

std::optional<error> read_extension(std::string_view name, simdjson::dom::element value, const event_limits& limits,
                                    event_fields& into) {
  if (!is_attribute_name(name, limits))
    return wrong(
        name,
        "The name '" + std::string(name.substr(0, 60)) +
            "' is not allowed; names of attributes are lower-case letters and digits, own fields belong into 'data'.");
  for (const auto& [known, ignored] : into.extensions)
    if (known == name) return wrong(name, "The attribute '" + std::string(name) + "' appears twice.");
  if (into.extensions.size() >= limits.extensions_max)
    return wrong(name, "There are more than " + std::to_string(limits.extensions_max) + " extension attributes.");
  if (value.is_string()) {
    into.extensions.emplace_back(name, std::string_view(value.get_string()));
  } else if (value.is_bool()) {
    into.extensions.emplace_back(name, bool(value.get_bool()));
  } else if (std::int64_t number = 0; value.is_int64() && value.get_int64().get(number) == simdjson::SUCCESS &&
                                      number >= std::numeric_limits<std::int32_t>::min() &&
                                      number <= std::numeric_limits<std::int32_t>::max()) {
    into.extensions.emplace_back(name, number);
  } else {
    return wrong(name, "The attribute '" + std::string(name) +
                           "' must be a string, a boolean or a 32-bit integer; put other values into 'data'.");
  }
  return {};
}

std::optional<error> read_field(std::string_view name, simdjson::dom::element value, const event_limits& limits,
                                event_fields& into) {
  if (name == "data") {
    if (into.data) return wrong(name, "The field 'data' appears twice.");
    into.data = value;
    return {};
  }
  if (value.is_null()) return {}; // the same as leaving it out (JSON format §2.2)
  std::string_view text;
  if (name == "specversion") {
    if (value.get_string().get(text) != simdjson::SUCCESS || text != "1.0")
      return wrong(name, "Only the specversion \"1.0\" is understood.");
    into.cloud_event = true;
    return {};
  }
  auto* place = name == "data_base64" ? &into.data_text : known_text(into, name);
  if (!place) return read_extension(name, value, limits, into);
  if (value.get_string().get(text) != simdjson::SUCCESS)
    return wrong(name, "The attribute '" + std::string(name) + "' must be a string.");
  if (*place) return wrong(name, "The attribute '" + std::string(name) + "' appears twice.");
  *place = text;
  return {};
}

std::optional<error> check_shape(const event_fields& fields, bool must_be_cloud_event) {
  if (!fields.cloud_event && must_be_cloud_event)
    return wrong("specversion", "The attribute 'specversion' is missing; a CloudEvent has \"specversion\": \"1.0\".");
  if (!fields.cloud_event) {
    for (const auto& [name, ignored] : fields.extensions)
      return wrong(name,
                   "The field '" + std::string(name) +
                       "' is not known; an event without 'specversion' has type, source, id, time, subject and data.");
  }
  for (const auto& [name, place] : {std::pair{"id", &fields.id}, std::pair{"source", &fields.source}})
    if (fields.cloud_event && !*place)
      return wrong(name, "The attribute '" + std::string(name) +
                             "' is missing; a CloudEvent has specversion, id, source and type.");
  if (!fields.type)
    return wrong("type", "The attribute 'type' is missing; it says what happened, e.g. \"order.created\".");
  if (fields.data && fields.data_text) return wrong("data_base64", "There may be 'data' or 'data_base64', not both.");
  if (fields.data_text && !is_base64(*fields.data_text))
    return wrong("data_base64", "The field 'data_base64' is not base64.");
  return {};
}

std::optional<error> check_attributes(const event_fields& fields, const event_limits& limits) {
  std::optional<error> bad;
  if (fields.id && (bad = check_text("id", *fields.id, limits.id_size_max))) return bad;
  if (fields.source && (bad = check_uri("source", *fields.source, false, limits.text_size_max))) return bad;
  if (fields.type && (bad = check_text("type", *fields.type, limits.text_size_max))) return bad;
  if (fields.subject && (bad = check_text("subject", *fields.subject, limits.text_size_max))) return bad;
  if (fields.data_content_type &&
      (bad = check_text("datacontenttype", *fields.data_content_type, limits.text_size_max)))
    return bad;
  if (fields.data_schema && (bad = check_uri("dataschema", *fields.data_schema, true, limits.text_size_max)))
    return bad;
  for (const auto& [name, value] : fields.extensions) {
    const auto* text = std::get_if<std::string_view>(&value);
    if (!text) continue;
    if (text->size() > limits.text_size_max || !is_attribute_text(*text))
      return wrong(name, "The attribute '" + std::string(name) + "' holds control characters or is longer than " +
                             std::to_string(limits.text_size_max) + " bytes.");
  }
  return {};
}

bool needs_escape(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

void write_text(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    const auto plain = static_cast<std::size_t>(std::find_if(text.begin(), text.end(), needs_escape) - text.begin());
    out.append(text.substr(0, plain));
    if (plain == text.size()) break;
    const char c = text[plain];
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else {
      constexpr char digits[] = "0123456789abcdef";
      out.append("\\u00").push_back(digits[static_cast<unsigned char>(c) >> 4]);
      out.push_back(digits[c & 15]);
    }
    text.remove_prefix(plain + 1);
  }
  out.push_back('"');
}

void write_attribute(std::string& out, std::string_view name, std::string_view text) {
  out.append(",\"").append(name).append("\":");
  write_text(out, text);
}

struct extension_writer {
  std::string& out;
  void operator()(std::string_view text) const { write_text(out, text); }
  void operator()(std::int64_t number) const { out.append(std::to_string(number)); }
  void operator()(bool yes) const { out.append(yes ? "true" : "false"); }
};

} // namespace

std::optional<error> read_fields(simdjson::dom::object object, bool must_be_cloud_event, const event_limits& limits,
                                 event_fields& into) {
  for (const auto field : object)
    if (auto bad = read_field(field.key, field.value, limits, into)) return bad;
  return check_shape(into, must_be_cloud_event);
}

result<checked_event> checked_event::of(event_fields fields, utc_time now, const event_limits& limits) {
  checked_event one;
  if (auto bad = check_attributes(fields, limits)) return fail(std::move(*bad));
  one.time_ = now;
  if (fields.time) {
    auto time = parse_rfc3339(*fields.time);
    if (!time) return fail(error_code::validation_error, time.error().message, "/time");
    one.time_ = *time;
  }
  if (!fields.id) one.generated_id_ = new_uuid();
  if (!fields.source) fields.source = source_of_bare_objects;
  one.fields_ = std::move(fields);
  return one;
}

void checked_event::write_to(std::string& out) const {
  out.append("{\"specversion\":\"1.0\",\"id\":");
  write_text(out, id());
  write_attribute(out, "source", source());
  write_attribute(out, "type", type());
  if (fields_.subject) write_attribute(out, "subject", *fields_.subject);
  write_attribute(out, "time", to_rfc3339(time_));
  if (fields_.data_content_type) write_attribute(out, "datacontenttype", *fields_.data_content_type);
  if (fields_.data_schema) write_attribute(out, "dataschema", *fields_.data_schema);
  for (const auto& [name, value] : fields_.extensions) {
    out.append(",\"").append(name).append("\":");
    std::visit(extension_writer{out}, value);
  }
  out.append(",\"data\":");
  if (fields_.data_text)
    write_text(out, *fields_.data_text);
  else if (fields_.data)
    out.append(simdjson::minify(*fields_.data));
  else
    out.append("null");
  out.push_back('}');
}

} // namespace tobit::event
