#pragma once

#include "schemas/json.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tobit::alert {

/// Alerts that one policy tells of together. Times in microseconds UTC; 0: nothing is due, or never.
struct alert_group {
  std::string key;                   ///< of the policy and the labels that it groups by
  std::string policy;                ///< its id; empty: the rule's own channels
  std::string labels;                ///< as JSON
  std::vector<std::string> channels; ///< the rule's own, if there is no policy
  std::string thread;
  std::map<std::string, bool> members; ///< alert id → it was told that it fires

  std::int64_t flush_us = 0;    ///< when to look whether there is something to tell
  std::int64_t flushed_us = 0;  ///< when that was done last
  std::int64_t repeat_us = 0;   ///< when to tell again that it still fires
  std::int64_t escalate_us = 0; ///< when the next step of the escalation is due
  std::size_t step = 0;
  std::int64_t round = 0, round_start_us = 0;
  bool escalated = false; ///< its escalation has run, or runs
  std::string held;       ///< why nothing was told the last time, to say it once

  /// The earliest thing that is due; 0: nothing.
  std::int64_t due_us() const noexcept;
  void shift(std::int64_t by_us) noexcept;
};

void write_text(std::string& out, const alert_group& g);
void from_json(const json& in, alert_group& g);

} // namespace tobit::alert
