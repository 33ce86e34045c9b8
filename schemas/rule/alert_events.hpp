#pragma once

#include "schemas/json_text.hpp"
#include "schemas/message.hpp"

#include <cstdint>
#include <string>

namespace tobit::rule {

/// Alerts of a rule changed: whole records, so that applying them gives the table as it was.
struct alerts_moved {
  static constexpr std::string_view wire_name = "tobit.rule.alerts_moved.v1";
  json moves;                ///< as actors/rule/alert/alert_table writes them
  std::string written = {};  ///< their text while they are fresh, instead of `moves`
  std::int64_t sequence = 0; ///< of fresh ones: who made them holds them already, and need not read them
};

inline void to_json(json& out, const alerts_moved& m) {
  out = {{"moves", m.written.empty() ? m.moves : parse_json(m.written).value_or(json())}};
}
inline void from_json(const json& in, alerts_moved& m) { m.moves = in.value("moves", json()); }
inline void write_text(std::string& out, const alerts_moved& m) {
  object_text object{out};
  if (m.written.empty())
    object.value("moves", m.moves);
  else
    object.written("moves", m.written);
  object.end();
}

} // namespace tobit::rule
