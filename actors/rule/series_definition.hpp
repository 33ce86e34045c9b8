#pragma once

#include "actors/rule/field_reader.hpp"
#include "schemas/json.hpp"

namespace tobit::rule {

/// The fields of a polled trigger that concern series: `query` of the source "prometheus", `format` and `selector` of
/// the others, `reduce`. True if readings are series; their value stands at `value`.
bool read_series(field_reader& in, json& out);

} // namespace tobit::rule
