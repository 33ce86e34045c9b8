#pragma once

#include "node/cli/node_client.hpp"
#include "schemas/json.hpp"

#include <string>
#include <vector>

namespace tobit::cli {

/// All rows of a paged list: follows `metadata.next_cursor` until there is none.
/// `path` without cursor; `field`: where in `data` the rows are.
outcome<std::vector<json>> fetch_all(node_client& node, const std::string& path, const std::string& field);

/// A text of an object, or empty; numbers and booleans as text.
std::string text_at(const json& object, std::string_view name);

/// The rule with this id or, failing that, the one with this name.
/// Failures: also NOT_FOUND, and CONFLICT if several have the name.
outcome<json> find_rule(node_client& node, const std::string& id_or_name);

} // namespace tobit::cli
