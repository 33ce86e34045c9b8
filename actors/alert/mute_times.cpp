#include "actors/alert/mute_times.hpp"

#include "actors/rule/trigger_definition.hpp"

#include <algorithm>

namespace tobit::alert {

namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 7> day_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::size_t mute_times_max = 20;

std::optional<minutes> parse_clock(const std::string& text) {
  const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : -100; };
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = digit(0) * 10 + digit(1), minute = digit(3) * 10 + digit(4);
  if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || (hour == 24 && minute > 0)) return std::nullopt;
  return minutes{hour * 60 + minute};
}

json read_one(rule::verdict& v, const json& written, const std::string& pointer) {
  rule::field_reader in{v, written, pointer, "A mute time"};
  json out{{"days", in.texts("days", {3, 3}, 7)},
           {"from", in.text("from", {5, 5}, "00:00")},
           {"to", in.text("to", {5, 5}, "24:00")},
           {"timezone", rule::read_time_zone(in, "timezone", "UTC")}};
  for (const auto& day : out["days"])
    if (std::find(day_names.begin(), day_names.end(), day.get<std::string>()) == day_names.end())
      in.refuse("days", "Days are sun, mon, tue, wed, thu, fri, sat.");
  for (const auto* name : {"from", "to"})
    if (v.good() && !parse_clock(out[name].get<std::string>()))
      in.refuse(name, "A time of day reads like 22:30, from 00:00 to 24:00.");
  if (v.good() && out["from"] == out["to"])
    in.refuse("to", "'from' and 'to' are the same; a whole day is 00:00 to 24:00.");
  in.close();
  return out;
}

} // namespace

mute_times::mute_times(const json& specs) {
  for (const auto& spec : specs) {
    auto zone = find_time_zone(spec.at("timezone").get<std::string>());
    if (!zone) zone = find_time_zone("UTC"); // it was known when the definition was saved
    if (!zone) continue;
    span s{{}, parse_clock(spec.at("from").get<std::string>()).value_or(minutes{0}), {}, *zone};
    const auto to = parse_clock(spec.at("to").get<std::string>()).value_or(minutes{0});
    s.length = to > s.from ? to - s.from : to + hours{24} - s.from;
    for (std::size_t day = 0; day < day_names.size(); ++day) {
      const auto& days = spec.at("days");
      s.days[day] = days.empty() || std::find(days.begin(), days.end(), day_names[day]) != days.end();
    }
    all_.push_back(s);
  }
}

/// A span that holds `now` began on this local day or the one before.
std::optional<utc_time> mute_times::end_of(const span& s, utc_time now) {
  const auto at = floor<seconds>(now);
  const auto reading = local_seconds{at.time_since_epoch() + s.zone.at(at).offset};
  const auto today = floor<days>(reading);
  for (const auto day : {today, today - days{1}}) {
    const auto index = (day.time_since_epoch().count() % 7 + 7 + 4) % 7; // 1970-01-01 was a Thursday
    if (!s.days[static_cast<std::size_t>(index)]) continue;
    const auto begin = s.zone.first_moment_of(local_seconds{day} + s.from);
    const auto end = s.zone.first_moment_of(local_seconds{day} + s.from + s.length);
    if (at >= begin && at < end) return utc_time{end};
  }
  return std::nullopt;
}

std::optional<utc_time> mute_times::muted_until(utc_time now) const {
  std::optional<utc_time> until;
  // Each round goes on where another span takes over; a week of rounds means that it never ends, then look again later.
  for (int round = 0; round < 16; ++round) {
    const auto from = until.value_or(now);
    std::optional<utc_time> further;
    for (const auto& s : all_)
      if (const auto end = end_of(s, from); end && (!further || *end > *further)) further = end;
    if (!further) break;
    until = further;
  }
  return until;
}

json read_mute_times(rule::verdict& v, const json* list, const std::string& pointer) {
  json out = json::array();
  if (!list) return out;
  if (!list->is_array() || list->size() > mute_times_max) {
    v.refuse(pointer, "'mute_times' is a list of at most " + std::to_string(mute_times_max) + ".");
    return out;
  }
  for (std::size_t i = 0; i < list->size() && v.good(); ++i)
    out.push_back(read_one(v, (*list)[i], pointer_append(pointer, i)));
  return out;
}

} // namespace tobit::alert
