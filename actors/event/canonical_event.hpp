#pragma once

#include "actors/event/event_limits.hpp"
#include "schemas/error.hpp"
#include "schemas/time.hpp"

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tobit::event {

/// The fields of one event, still in the text they came in.
struct event_fields {
  using extension_value = std::variant<std::string_view, std::int64_t, bool>;

  std::optional<std::string_view> id, source, type, subject, time, data_content_type, data_schema;
  std::vector<std::pair<std::string_view, extension_value>> extensions;
  std::optional<simdjson::dom::element> data; ///< as JSON …
  std::optional<std::string_view> data_text;  ///< … or as text (base64 of binary data)
  bool cloud_event = false;                   ///< `specversion` is there
};

/// Takes the fields out of a JSON object. Nothing: they are well, as far as types and names go.
/// `must_be_cloud_event`: bare objects are not accepted.
std::optional<error> read_fields(simdjson::dom::object object, bool must_be_cloud_event, const event_limits& limits,
                                 event_fields& into);

/// Checks the values of all attributes and fills in what a bare object may leave out.
class checked_event {
public:
  static result<checked_event> of(event_fields fields, utc_time now, const event_limits& limits);

  std::string_view id() const noexcept { return generated_id_.empty() ? *fields_.id : generated_id_; }
  std::string_view source() const noexcept { return *fields_.source; }
  std::string_view type() const noexcept { return *fields_.type; }

  /// Appends the canonical line, without a line feed.
  void write_to(std::string& out) const;

private:
  event_fields fields_;
  std::string generated_id_;
  utc_time time_;
};

} // namespace tobit::event
