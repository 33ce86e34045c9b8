#include "actors/alert/on_call.hpp"

#include "actors/alert/names.hpp"
#include "actors/rule/trigger_definition.hpp"

#include <algorithm>

namespace tobit::alert {

namespace {

using namespace std::chrono;

constexpr std::size_t people_max = 50;
constexpr std::size_t overrides_max = 200;

time_zone zone_of(const json& spec) {
  auto zone = find_time_zone(spec.at("timezone").get<std::string>());
  if (!zone) zone = find_time_zone("UTC"); // it was known when the definition was saved
  return *zone;
}

/// A reading of the clock on the wall, `2026-11-02T09:00` or with seconds.
std::optional<local_seconds> parse_reading(std::string text) {
  if (text.size() == 16) text += ":00";
  if (text.size() != 19) return std::nullopt;
  const auto as_utc = parse_rfc3339(text + "Z");
  if (!as_utc) return std::nullopt;
  return local_seconds{floor<seconds>(*as_utc).time_since_epoch()};
}

json read_people(rule::verdict& v, const json* list, const std::string& pointer) {
  json out = json::array();
  if (!list || !list->is_array() || list->empty() || list->size() > people_max) {
    v.refuse(pointer, "An on-call schedule needs 'people': a list of 1 to " + std::to_string(people_max) +
                          ", each with a name and channels.");
    return out;
  }
  for (std::size_t i = 0; i < list->size() && v.good(); ++i) {
    rule::field_reader in{v, (*list)[i], pointer_append(pointer, i), "A person"};
    out.push_back({{"name", in.text("name", {1, 100})}, {"channels", read_channels(in)}});
    if (v.good() && out.back()["channels"].empty())
      in.refuse("channels", "A person who is on call needs at least one channel.");
    in.close();
  }
  return out;
}

json read_rotation(rule::verdict& v, const json* spec, const std::string& pointer) {
  if (!spec) {
    v.refuse(pointer, "An on-call schedule needs a 'rotation': {start, length_days or length_hours}.");
    return json::object();
  }
  rule::field_reader in{v, *spec, pointer, "A rotation"};
  json out{{"start", in.text("start", {16, 19})}};
  if (v.good() && !parse_reading(out["start"].get<std::string>()))
    in.refuse("start", "'start' is the local date and time of the first turn, like 2026-11-02T09:00.");
  if (in.has("length_hours") && in.has("length_days"))
    in.refuse("length_hours", "Give 'length_hours' or 'length_days', not both.");
  if (in.has("length_hours"))
    out["length_hours"] = in.integer("length_hours", 1, 24 * 366);
  else
    out["length_days"] = in.integer("length_days", 1, 366, 7);
  in.any("length_hours");
  in.any("length_days");
  in.close();
  return out;
}

json read_overrides(rule::verdict& v, const json* list, const json& people, const std::string& pointer) {
  json out = json::array();
  if (!list) return out;
  if (!list->is_array() || list->size() > overrides_max) {
    v.refuse(pointer, "'overrides' is a list of at most " + std::to_string(overrides_max) + ".");
    return out;
  }
  for (std::size_t i = 0; i < list->size() && v.good(); ++i) {
    rule::field_reader in{v, (*list)[i], pointer_append(pointer, i), "An override"};
    json one{{"person", in.text("person", {1, 100})},
             {"starts_at", in.text("starts_at", {1, 40})},
             {"ends_at", in.text("ends_at", {1, 40})}};
    const auto from = parse_rfc3339(one["starts_at"].get<std::string>()),
               until = parse_rfc3339(one["ends_at"].get<std::string>());
    if (v.good() && !from) in.refuse("starts_at", "'starts_at' is a time like 2026-11-20T09:00:00Z.");
    if (v.good() && !until) in.refuse("ends_at", "'ends_at' is a time like 2026-11-20T09:00:00Z.");
    if (v.good() && *until <= *from) in.refuse("ends_at", "The override ends before it begins.");
    const bool known =
        std::any_of(people.begin(), people.end(), [&](const json& p) { return p["name"] == one["person"]; });
    if (v.good() && !known) in.refuse("person", "No person of this schedule has this name.");
    in.close();
    out.push_back(std::move(one));
  }
  return out;
}

} // namespace

json read_on_call(rule::verdict& v, const json& spec, const std::string& pointer) {
  rule::field_reader in{v, spec, pointer, "An on-call schedule"};
  json out{{"on_call_id", read_id(in, "on_call_id")},
           {"name", in.text("name", {0, 200}, "")},
           {"timezone", rule::read_time_zone(in, "timezone", "UTC")}};
  out["people"] = read_people(v, in.any("people"), in.pointer_to("people"));
  out["rotation"] = v.good() ? read_rotation(v, in.any("rotation"), in.pointer_to("rotation")) : json::object();
  in.any("rotation");
  out["overrides"] = read_overrides(v, in.any("overrides"), out["people"], in.pointer_to("overrides"));
  in.close();
  return out;
}

on_call_schedule::on_call_schedule(const json& spec)
    : id_(spec.at("on_call_id").get<std::string>()), zone_(zone_of(spec)) {
  for (const auto& p : spec.at("people"))
    people_.push_back({p.at("name").get<std::string>(), p.at("channels").get<std::vector<std::string>>()});
  const auto& rotation = spec.at("rotation");
  start_ = parse_reading(rotation.at("start").get<std::string>()).value_or(local_seconds{});
  length_ = rotation.contains("length_hours") ? hours{rotation.at("length_hours").get<int>()}
                                              : hours{24} * rotation.at("length_days").get<int>();
  for (const auto& o : spec.at("overrides")) {
    const auto replacement =
        std::find_if(people_.begin(), people_.end(), [&](const auto& p) { return p.name == o.at("person"); });
    overrides_.push_back({parse_rfc3339(o.at("starts_at").get<std::string>()).value_or(utc_time{}),
                          parse_rfc3339(o.at("ends_at").get<std::string>()).value_or(utc_time{}),
                          static_cast<std::size_t>(replacement - people_.begin())});
  }
}

sys_seconds on_call_schedule::begin_of(std::int64_t turn) const {
  return zone_.first_moment_of(start_ + turn * duration_cast<seconds>(length_));
}

/// By the clock on the wall; near a change of daylight saving a reading comes twice or never, so the neighbours count
/// too.
std::int64_t on_call_schedule::turn_at(sys_seconds now) const {
  const auto reading = local_seconds{now.time_since_epoch() + zone_.at(now).offset};
  const auto passed = (reading - start_).count(), length = duration_cast<seconds>(length_).count();
  auto turn = passed >= 0 ? passed / length : -((-passed + length - 1) / length);
  while (begin_of(turn + 1) <= now) ++turn;
  while (begin_of(turn) > now) --turn;
  return turn;
}

const on_call_schedule::person* on_call_schedule::on_duty(utc_time now) const {
  for (auto o = overrides_.rbegin(); o != overrides_.rend(); ++o) // the latest written goes first
    if (now >= o->from && now < o->until && o->who < people_.size()) return &people_[o->who];
  const auto turn = turn_at(floor<seconds>(now));
  if (turn < 0) return nullptr;
  return &people_[static_cast<std::size_t>(turn) % people_.size()];
}

utc_time on_call_schedule::next_change(utc_time now) const {
  utc_time next{begin_of(turn_at(floor<seconds>(now)) + 1)};
  for (const auto& o : overrides_)
    for (const auto edge : {o.from, o.until})
      if (edge > now && edge < next) next = edge;
  return next;
}

} // namespace tobit::alert
