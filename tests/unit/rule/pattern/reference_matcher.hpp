#pragma once

#include "schemas/json.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// The same meaning of patterns, written down a second time and naively: it looks at all events of a key again and
/// again.
namespace tobit::rule::pattern::samples {

struct plain_event {
  char type = 'A';
  std::int64_t at = 0; ///< seconds
  int key = 0;
  int value = 0;
};

/// "key started-ended: index index …", in the order of keys and of their ends.
/// `events` in the order of their times; `spec` is a normalised trigger_spec whose conditions only use the type and
/// references over `v`.
std::vector<std::string> reference_matches(const json& spec, const std::vector<plain_event>& events);

} // namespace tobit::rule::pattern::samples
