#pragma once

#include "actors/notify/channel/channel_definition.hpp"
#include "actors/rule/field_reader.hpp"

#include <string>

namespace tobit::notify {

/// Checks the `config` of a channel of the given type by the table of `schemas/channel/channel_fields.hpp`, and what
/// its fields mean together. Precondition: the type is known.
json read_channel_config(rule::verdict& v, const std::string& type, const json& config, const channel_rules& rules);

} // namespace tobit::notify
