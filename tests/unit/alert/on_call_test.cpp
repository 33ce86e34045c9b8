#define CAF_SUITE on_call

#include "actors/alert/mute_times.hpp"
#include "actors/alert/on_call.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::alert;

namespace {

utc_time at(const char* text) { return parse_rfc3339(text).value(); }

json people(std::initializer_list<const char*> names) {
  json out = json::array();
  for (const auto* name : names) out.push_back({{"name", name}, {"channels", {std::string(name) + "-sms"}}});
  return out;
}

json normalised(json spec) {
  rule::verdict v;
  auto out = read_on_call(v, spec, "/on_call/0");
  if (!v.good()) return v.problem().pointer;
  return out;
}

on_call_schedule schedule(json more, const char* zone = "Europe/Berlin") {
  json spec{{"on_call_id", "duty"}, {"timezone", zone}, {"people", people({"ann", "bob"})}};
  spec.update(more);
  return on_call_schedule{normalised(spec)};
}

std::string who(const on_call_schedule& s, const char* when) {
  const auto* person = s.on_duty(at(when));
  return person ? person->name : "nobody";
}

} // namespace

CAF_TEST(turns change at the same time of day on both sides of daylight saving) {
  // Berlin is two hours before UTC until 2026-10-25 01:00 UTC, one hour afterwards.
  const auto s = schedule({{"rotation", {{"start", "2026-10-24T09:00"}, {"length_days", 1}}}});
  CAF_CHECK_EQUAL(who(s, "2026-10-24T06:59:59Z"), "nobody");
  CAF_CHECK_EQUAL(who(s, "2026-10-24T07:00:00Z"), "ann");
  CAF_CHECK_EQUAL(who(s, "2026-10-25T07:59:59Z"), "ann"); // a turn of 25 hours
  CAF_CHECK_EQUAL(who(s, "2026-10-25T08:00:00Z"), "bob");
  CAF_CHECK_EQUAL(who(s, "2026-10-26T08:00:00Z"), "ann");
  CAF_CHECK(s.next_change(at("2026-10-24T12:00:00Z")) == at("2026-10-25T08:00:00Z"));
}

CAF_TEST(every moment of the night without an hour belongs to exactly one turn) {
  // On 2027-03-28 the clock in Berlin goes from 02:00 to 03:00.
  const auto s = schedule({{"rotation", {{"start", "2027-03-27T02:30"}, {"length_hours", 12}}}});
  for (auto t = at("2027-03-27T01:30:00Z"); t < at("2027-03-30T00:00:00Z"); t += std::chrono::minutes{7}) {
    CAF_REQUIRE(s.on_duty(t) != nullptr);
    CAF_REQUIRE(s.next_change(t) > t);
    CAF_REQUIRE(s.next_change(t) <= t + std::chrono::hours{13});
  }
}

CAF_TEST(overrides go before turns and the latest before the others) {
  const auto s =
      schedule({{"rotation", {{"start", "2026-11-02T09:00"}, {"length_days", 7}}},
                {"overrides",
                 {{{"person", "bob"}, {"starts_at", "2026-11-03T00:00:00Z"}, {"ends_at", "2026-11-05T00:00:00Z"}},
                  {{"person", "ann"}, {"starts_at", "2026-11-04T00:00:00Z"}, {"ends_at", "2026-11-04T12:00:00Z"}}}}});
  CAF_CHECK_EQUAL(who(s, "2026-11-02T12:00:00Z"), "ann");
  CAF_CHECK_EQUAL(who(s, "2026-11-03T12:00:00Z"), "bob");
  CAF_CHECK_EQUAL(who(s, "2026-11-04T06:00:00Z"), "ann");
  CAF_CHECK_EQUAL(who(s, "2026-11-04T12:00:00Z"), "bob");
  CAF_CHECK_EQUAL(who(s, "2026-11-05T00:00:00Z"), "ann");
  CAF_CHECK_EQUAL(who(s, "2026-11-09T12:00:00Z"), "bob");
}

CAF_TEST(schedules without people or sense are refused with the field) {
  const auto refused = [](json more) {
    json spec{{"on_call_id", "duty"}, {"people", people({"ann"})}, {"rotation", {{"start", "2026-11-02T09:00"}}}};
    spec.update(more);
    const auto read = normalised(spec);
    return read.is_string() ? read.get<std::string>() : "taken";
  };
  CAF_CHECK_EQUAL(refused(json::object()), "taken");
  CAF_CHECK_EQUAL(refused({{"people", json::array()}}), "/on_call/0/people");
  CAF_CHECK_EQUAL(refused({{"people", {{{"name", "ann"}}}}}), "/on_call/0/people/0/channels");
  CAF_CHECK_EQUAL(refused({{"timezone", "Mars/Olympus"}}), "/on_call/0/timezone");
  CAF_CHECK_EQUAL(refused({{"rotation", {{"start", "tomorrow at nine"}}}}), "/on_call/0/rotation/start");
  CAF_CHECK_EQUAL(refused({{"rotation", nullptr}}), "/on_call/0/rotation");
  CAF_CHECK_EQUAL(
      refused({{"overrides",
                {{{"person", "eve"}, {"starts_at", "2026-11-03T00:00:00Z"}, {"ends_at", "2026-11-05T00:00:00Z"}}}}}),
      "/on_call/0/overrides/0/person");
}

CAF_TEST(mute times follow the clock on the wall over midnight) {
  rule::verdict v;
  const json spec{{{"days", {"sat", "sun"}}, {"from", "22:00"}, {"to", "06:00"}, {"timezone", "Asia/Seoul"}},
                  {{"days", {"mon"}}, {"from", "06:00"}, {"to", "07:00"}, {"timezone", "Asia/Seoul"}}};
  const mute_times m{read_mute_times(v, &spec, "")};
  CAF_REQUIRE(v.good());
  // Seoul is nine hours before UTC. Saturday 2026-11-21 22:00 there is 13:00 UTC.
  CAF_CHECK(!m.muted_until(at("2026-11-21T12:59:59Z")));
  CAF_CHECK(m.muted_until(at("2026-11-21T13:00:00Z")) == at("2026-11-21T21:00:00Z"));
  CAF_CHECK(!m.muted_until(at("2026-11-21T21:00:00Z")));
  // Sunday night goes on into Monday's hour.
  CAF_CHECK(m.muted_until(at("2026-11-22T14:00:00Z")) == at("2026-11-22T22:00:00Z"));
}
