#pragma once

#include "runtime/entity/entity_logic.hpp"
#include "schemas/ids.hpp"
#include "schemas/time.hpp"

#include <cstdint>
#include <string>

namespace tobit::alert {

/// One message being decided, or taken again from the journal (then nobody looks at `out`).
struct alerting_turn {
  utc_time now;
  std::string id; ///< of the decision; what is made in it is named after it
  tenant_id tenant;
  std::string trace_id;
  const call_context* context = nullptr; ///< who asks; null while taking again
  entity::decision out = {};
  bool changed = false; ///< the state did: the message is journaled
  std::int64_t made = 0;

  std::int64_t now_us() const noexcept { return to_micros(now); }
  std::string next_id() { return id + '-' + std::to_string(++made); }
};

} // namespace tobit::alert
