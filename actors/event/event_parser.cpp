#include "actors/event/event_parser.hpp"

#include "actors/event/attribute_rules.hpp"
#include "actors/event/canonical_event.hpp"
#include "actors/event/pair_index.hpp"
#include "schemas/json.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace tobit::event {

namespace {

namespace dom = simdjson::dom;

/// NaN and infinities are what programs write most often that JSON does not know.
std::string hint_about(std::string_view text) {
  const auto letter = [&](std::size_t at) {
    return at < text.size() && std::isalpha(static_cast<unsigned char>(text[at]));
  };
  for (const std::string_view word : {"NaN", "nan", "Infinity", "inf"})
    for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1))
      if (at > 0 && std::string_view(":[,-+ ").find(text[at - 1]) != std::string_view::npos &&
          !letter(at + word.size()))
        return " JSON knows no NaN and no infinity: leave such a field out, or send null.";
  return {};
}

std::string sentence_of(simdjson::error_code code, std::string_view text = {}) {
  switch (code) {
  case simdjson::UTF8_ERROR:
    return "The text is not valid UTF-8.";
  case simdjson::NUMBER_ERROR:
  case simdjson::NUMBER_OUT_OF_RANGE:
    return std::string("A number is malformed or too large; numbers must fit 64 bits or a double, send larger ones as "
                       "strings.") +
           hint_about(text);
  case simdjson::DEPTH_ERROR:
    return "The nesting is deeper than " + std::to_string(json_depth_max) + " levels.";
  case simdjson::EMPTY:
    return "There is nothing in the body; send at least one event.";
  default:
    return std::string("The text is not valid JSON (") + simdjson::error_message(code) + ")." + hint_about(text);
  }
}

/// Takes events one by one and collects what they come to.
class collector {
public:
  collector(const ingest_request& request, utc_time now, const event_limits& limits)
      : tenant_(request.context.tenant().value), now_(now), limits_(limits), pairs_(out_.events.pairs) {
    out_.events.text.reserve(request.body.size() + request.body.size() / 4 + 256);
  }

  void reject(error why) {
    ++out_.report.rejected_total;
    if (out_.report.rejected.size() < limits_.rejected_listed_max)
      out_.report.rejected.push_back({index_, std::move(why)});
    ++index_;
  }

  void take(dom::element value, bool must_be_cloud_event) {
    dom::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS)
      return reject({error_code::validation_error, "An event is a JSON object."});
    event_fields fields;
    if (auto bad = read_fields(object, must_be_cloud_event, limits_, fields)) return reject(std::move(*bad));
    take(std::move(fields));
  }

  void take(event_fields fields) {
    auto one = checked_event::of(std::move(fields), now_, limits_);
    if (!one) return reject(std::move(one.error()));
    auto& events = out_.events;
    const auto begin = events.text.size();
    one->write_to(events.text);
    const auto size = events.text.size() - begin;
    if (size > limits_.event_size_max) {
      events.text.resize(begin);
      return reject({error_code::payload_too_large, "The event is larger than " +
                                                        std::to_string(limits_.event_size_max / 1024) +
                                                        " KiB; send a reference to the data instead."});
    }
    events.text.push_back('\n');
    events.lines.push_back(
        {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(size), pairs_.of(one->type(), one->source())});
    out_.hashes.push_back(hash_of(tenant_, one->source(), one->id()));
    ++index_;
  }

  bool full() const noexcept { return index_ >= limits_.events_max; }
  std::size_t seen() const noexcept { return index_; }
  parsed_request finish() { return std::move(out_); }

private:
  const std::string& tenant_;
  const utc_time now_;
  const event_limits& limits_;
  parsed_request out_;
  pair_index pairs_;
  std::size_t index_ = 0;
};

tl::unexpected<error> too_many(const event_limits& limits) {
  return fail(error_code::payload_too_large, "There are more than " + std::to_string(limits.events_max) +
                                                 " events in the request; send them in several requests.");
}

/// One parser per thread: it keeps its buffers.
dom::parser& parser_with_depth(std::size_t depth, std::size_t capacity) {
  thread_local dom::parser parser;
  // If there is no memory for it, the parse says so.
  if (parser.max_depth() != depth || parser.capacity() < capacity) [[maybe_unused]]
    const auto failed = parser.allocate(capacity, depth);
  return parser;
}

// simdjson reads past the end within the buffer; the body is copied only if it was built without that space.
std::string_view padded(const std::string& body, std::string& copy) {
  if (body.capacity() - body.size() >= simdjson::SIMDJSON_PADDING) return body;
  copy.reserve(body.size() + simdjson::SIMDJSON_PADDING);
  copy.assign(body);
  return copy;
}

result<void> parse_document(std::string_view body, event_format format, collector& into, const event_limits& limits) {
  const auto first = body.find_first_not_of(" \t\r\n");
  const bool list = first != std::string_view::npos && body[first] == '[';
  const bool strict = format == event_format::structured || format == event_format::batch;
  if (list && format == event_format::structured)
    return fail(error_code::malformed_json,
                "The content type says one event, the body is a list; send it as application/cloudevents-batch+json.");
  if (!list && format == event_format::batch)
    return fail(error_code::malformed_json, "The content type says a list of events; the body is none.");
  // One level of the list, the events below it have their full depth.
  auto& parser = parser_with_depth(static_cast<std::size_t>(json_depth_max) + (list ? 1 : 0), body.size());
  dom::element root;
  if (const auto code = parser.parse(body.data(), body.size(), false).get(root); code != simdjson::SUCCESS)
    return fail(error_code::malformed_json, sentence_of(code, body));
  if (!list) return into.take(root, strict), result<void>{};
  dom::array events = root.get_array();
  if (events.size() > limits.events_max) return too_many(limits);
  for (const auto one : events) into.take(one, strict);
  return {};
}

result<void> parse_lines(std::string_view body, collector& into, const event_limits& limits) {
  while (!body.empty()) {
    const auto end = std::min(body.find('\n'), body.size());
    auto line = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (into.full()) return too_many(limits);
    if (line.size() > limits.event_size_max) {
      into.reject({error_code::payload_too_large,
                   "The line is larger than " + std::to_string(limits.event_size_max / 1024) + " KiB."});
      continue;
    }
    auto& parser = parser_with_depth(json_depth_max, std::max(line.size(), std::size_t{4'096}));
    dom::element root;
    if (const auto code = parser.parse(line.data(), line.size(), false).get(root); code != simdjson::SUCCESS)
      into.reject({error_code::malformed_json, sentence_of(code, line)});
    else
      into.take(root, false);
  }
  if (into.seen() == 0) return fail(error_code::malformed_json, sentence_of(simdjson::EMPTY));
  return {};
}

bool is_json(std::string_view content_type) {
  const auto type = content_type.substr(0, content_type.find(';'));
  return type.empty() || type.find("/json") != std::string_view::npos || type.find("+json") != std::string_view::npos;
}

bool is_text(std::string_view content_type) {
  return content_type.starts_with("text/") || content_type.starts_with("application/xml");
}

result<dom::element> parse_data(std::string_view body) {
  thread_local dom::parser parser;
  if (parser.max_depth() != json_depth_max - 1 || parser.capacity() < body.size()) [[maybe_unused]]
    const auto failed = parser.allocate(body.size(), json_depth_max - 1);
  dom::element root;
  if (const auto code = parser.parse(body.data(), body.size(), false).get(root); code != simdjson::SUCCESS)
    return fail(error_code::malformed_json, sentence_of(code, body));
  return root;
}

result<void> parse_binary(const ingest_request& request, std::string_view body, collector& into,
                          const event_limits& limits) {
  // The attributes are written as JSON, so that the code that reads everybody's reads these too. The data never meets
  // them as text: it could close the object and bring attributes of its own.
  json attributes = json::object();
  for (const auto& [name, value] : request.attributes) {
    auto text = from_header_value(value);
    if (!text) return fail(error_code::validation_error, "The header 'ce-" + name + "' is not valid UTF-8.");
    attributes[name] = std::move(*text);
  }
  if (!request.data_content_type.empty()) attributes["datacontenttype"] = request.data_content_type;
  std::string text = to_text(attributes), data;
  text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  dom::object object;
  if (parser_with_depth(json_depth_max, text.size()).parse(text.data(), text.size(), false).get(object) !=
      simdjson::SUCCESS)
    return fail(error_code::malformed_json, "The ce-* headers cannot be read.");
  event_fields fields;
  if (auto bad = read_fields(object, true, limits, fields)) return into.reject(std::move(*bad)), result<void>{};
  if (!body.empty() && is_json(request.data_content_type)) {
    auto value = parse_data(body);
    if (!value) return fail(std::move(value.error()));
    fields.data = *value;
  } else if (!body.empty()) {
    const bool readable = is_text(request.data_content_type) && simdjson::validate_utf8(body.data(), body.size());
    data = readable ? std::string(body) : to_base64(body);
    fields.data_text = data;
  }
  into.take(std::move(fields));
  return {};
}

} // namespace

result<parsed_request> parse_events(const ingest_request& request, utc_time now, const event_limits& limits) {
  collector into{request, now, limits};
  std::string copy;
  const auto body = padded(request.body, copy);
  result<void> done;
  if (request.format == event_format::ndjson)
    done = parse_lines(body, into, limits);
  else if (request.format == event_format::binary)
    done = parse_binary(request, body, into, limits);
  else
    done = parse_document(body, request.format, into, limits);
  if (!done) return fail(std::move(done.error()));
  return into.finish();
}

} // namespace tobit::event
