#pragma once

#include "actors/rule/field_reader.hpp"

namespace tobit::rule::window {

/// Reads `window_config`, `aggregation` and `max_keys` of a trigger_spec into its normalised form, if they are there.
/// `metric`: the trigger_spec of a metric rule, whose `value_path`, `op` and `threshold` are defaults (null otherwise).
void read_window(field_reader& in, json& out, bool metric);

} // namespace tobit::rule::window
