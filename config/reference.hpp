#pragma once

#include "config/settings.hpp"
#include "schemas/json.hpp"

#include <string>

namespace tobit::config {

/// The reference page of all settings, `docs/reference/settings.md`, in Markdown.
std::string reference_page();

/// The settings as a table for a terminal: key, value, source, then default, variable, flag and description.
std::string listing(const settings& s);
/// The same for programs: {"settings": [{key, value, source, origin, default, type, allowed, variable, flag, …}]}.
json listing_json(const settings& s);

} // namespace tobit::config
