#pragma once

#include "schemas/json.hpp"
#include "schemas/time.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace tobit::event {

/// One CloudEvents 1.0 event (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md).
struct event {
  std::string id, source, type, subject;
  utc_time time;
  json data;                        ///< any JSON; a string for non-JSON content types (base64 text where it was binary)
  json attributes = json::object(); ///< extension attributes, datacontenttype, dataschema
};

/// An event with its place in the log.
struct logged_event {
  std::uint64_t offset = 0;
  std::shared_ptr<const event> body;
};

/// `data` plus the attributes as one JSON object in the CloudEvents JSON format.
json to_cloudevent(const event& e);
/// Reads what `to_cloudevent` wrote. Errors: validation_error.
result<event> from_cloudevent(const json& in);

/// What a condition's dotted `field` means for an event: first a path into `data`, then an attribute
/// (id, source, type, subject, time, extensions). Null pointer if there is none. Digits index lists.
const json* find_path(const json& root, std::string_view dotted_path);

} // namespace tobit::event
