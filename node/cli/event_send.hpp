#pragma once

#include "node/cli/commands.hpp"

#include <tl/expected.hpp>

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace tobit::cli {

struct send_options {
  std::vector<std::string> events; ///< JSON texts
  std::string file;                ///< empty: standard input if there are no `events`
  std::size_t chunk = 1'000;
  std::size_t parallel = 4;
};

/// Sends events in chunks of NDJSON, reading on while requests are under way; memory stays bounded for any input.
/// A request that the node put off (429, 503) is repeated: it took nothing. One that broke off is not, because events
/// without an id would count twice; the lines that were not acknowledged are named.
int send_events(const command_line& line, const send_options& options);

/// Splits a stream of events into single lines of JSON: NDJSON as it comes, a JSON list or object in any layout as a
/// whole (at most 256 MB). `take` gets each event and its number from 1, and says whether to go on. The failure names
/// the place.
tl::expected<void, std::string> split_events(std::istream& in, const std::string& name,
                                             const std::function<bool(std::string event, std::size_t number)>& take);

} // namespace tobit::cli
