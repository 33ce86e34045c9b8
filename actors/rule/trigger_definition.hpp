#pragma once

#include "actors/rule/field_reader.hpp"
#include "runtime/outbound/http_client.hpp"

#include <string>

namespace tobit::rule {

/// Checks one condition or group as users write it and gives its normalised form: `=` becomes `==`, `logic` is filled
/// in. `count` is the number of comparisons so far, `depth` the number of groups around this one.
json read_condition(verdict& v, const json& spec, const std::string& pointer, std::size_t& count,
                    std::size_t depth = 0);

/// Checks a rule's `trigger_spec` and gives its normalised form with all defaults, see docs/rules.md.
json read_trigger(verdict& v, std::string_view trigger_type, const json& spec, const outbound::guard_options& guard);

/// Whether a list of globs lets everything through: it is empty, or all of it is `*`.
bool takes_all(const json& globs);

/// An IANA time zone that this machine knows.
std::string read_time_zone(field_reader& reader, std::string_view name,
                           std::optional<std::string> otherwise = std::nullopt);

/// Checks a path as users write it; complains through `reader`.
std::string read_path(field_reader& reader, std::string_view name);

/// An absolute URL, checked against the outbound guard, or a path on this node.
std::string read_endpoint(field_reader& reader, const outbound::guard_options& guard);

/// What goes into a query or a JSON body: texts, numbers, booleans.
json read_params(field_reader& reader);

/// HTTP headers that a definition may set: names are tokens (RFC 9110), values hold no line breaks.
json read_headers(field_reader& reader);

} // namespace tobit::rule
