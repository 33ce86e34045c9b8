#pragma once

#include "node/cli/surroundings.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tobit::cli {

/// Where a node is: `http://host:port`, without a slash at the end.
struct node_address {
  std::string url;
  std::string authority; ///< `host:port`, for the allow list of the outbound client
};

/// Reads `http://host[:port]`, `https://…` or `host:port`. Nothing if malformed.
std::optional<node_address> parse_node_address(std::string_view text);

/// `wanted` if not empty, else TOBIT_URL, else what a node on this machine wrote to `ready` in its data folder
/// (TOBIT_DATA_DIR, else ./data), else the default address.
std::string chosen_node_url(const surroundings& around, const std::string& wanted);

} // namespace tobit::cli
