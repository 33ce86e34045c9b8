#define CAF_SUITE pattern_bounds

#include "tests/unit/rule/pattern/pattern_samples.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::rule;
using namespace tobit::rule::pattern;
using namespace tobit::rule::pattern::samples;

namespace {

json line(const char* pattern, json more = json::object()) {
  more["pattern"] = pattern;
  return more;
}

std::string all_told(const std::vector<key_verdict>& verdicts) {
  std::string out;
  for (const auto& verdict : verdicts) out += (out.empty() ? "" : "; ") + told(verdict);
  return out;
}

} // namespace

CAF_TEST(a million keys keep memory bounded and are counted) {
  timeline t{line("A then B within 1h by k", {{"max_keys", 100}})};
  for (int i = 0; i < 10'000; ++i) t.take({"A", i * 0.001, "key" + std::to_string(i)});
  CAF_CHECK_EQUAL(t.view()["keys"].get<int>(), 100);
  CAF_CHECK_EQUAL(t.view()["evicted"].get<int>(), 9'900);
  t.take({"B", 11, "key0"});
  t.take({"B", 11, "key9999"});
  CAF_CHECK_EQUAL(all_told(t.verdicts), "key9999:A@9.999 key9999:B@11");
}

CAF_TEST(matches under way are bounded per key and in all) {
  timeline t{line("A then B within 1h by k",
                  {{"max_partial_matches_per_key", 2}, {"max_partial_matches", 3}, {"after_match", "no_skip"}})};
  for (int i = 0; i < 4; ++i) t.take({"A", double(i), "x"});
  CAF_CHECK_EQUAL(t.view()["partial_matches"].get<int>(), 2);
  t.take({"A", 4, "y"});
  t.take({"A", 5, "z"});
  CAF_CHECK_EQUAL(t.view()["partial_matches"].get<int>(), 3);
  CAF_CHECK_EQUAL(t.view()["evicted"].get<int>(), 3);
  t.take({"B", 6, "x"});
  CAF_CHECK_EQUAL(all_told(t.verdicts), "x:A@1 x:B@6"); // A@2 and A@3 were not begun, A@0 made room for z
}

CAF_TEST(a step that comes more often than matches may be under way still completes) {
  timeline t{line("A{500} within 10m by k", {{"max_partial_matches_per_key", 10}})};
  for (int i = 0; i < 500; ++i) t.take({"A", i * 0.1, "x"});
  CAF_REQUIRE_EQUAL(t.verdicts.size(), 1u);
  CAF_CHECK_EQUAL(t.verdicts[0].woken_by["A"]["count"].get<int>(), 500);
}

CAF_TEST(what is over leaves as time goes on and nothing stale is kept) {
  timeline t{line("A then B within 10s by k", {{"max_partial_matches", 1'000}})};
  for (int i = 0; i < 5'000; ++i) t.take({"A", i * 0.1, "key" + std::to_string(i)});
  CAF_CHECK(t.view()["partial_matches"].get<int>() <= 101);
  CAF_CHECK_EQUAL(t.view()["evicted"].get<int>(), 0);
  t.take({"X", 1'000});
  CAF_CHECK_EQUAL(t.view()["partial_matches"].get<int>(), 0);
  CAF_CHECK_EQUAL(t.view()["keys"].get<int>(), 0);
}

CAF_TEST(events of the future and of last year are dropped and counted) {
  timeline t{line("A and no B within 10s")};
  t.take({"A", 0});
  auto future = to_event({"B", 3'700}, 7);
  t.of->take({subject::of(future), future.time, t.now, &future}, t.verdicts);
  CAF_CHECK_EQUAL(t.view()["future"].get<int>(), 1);
  CAF_CHECK(t.verdicts.empty());
  t.take({"A", -31'536'000});
  CAF_CHECK_EQUAL(t.view()["late"].get<int>(), 1);
  t.advance(11);
  CAF_CHECK_EQUAL(all_told(t.verdicts), "A@0 [10]");
  t.take({"A", -31'536'000}); // its key has nothing under way: nothing could come of it any more
  CAF_CHECK_EQUAL(t.view()["late"].get<int>(), 2);
  CAF_CHECK_EQUAL(t.view()["partial_matches"].get<int>(), 0);
}

CAF_TEST(a sender whose clock is ahead does not end what others are in the middle of) {
  timeline t{line("A and no B within 60s by k")};
  t.take({"A", 0, "x"});
  auto ahead = to_event({"A", 600, "y"}, 8);
  t.of->take({subject::of(ahead), ahead.time, t.now, &ahead}, t.verdicts);
  CAF_CHECK(t.verdicts.empty());
  t.take({"B", 5, "x"});
  t.advance(100);
  CAF_CHECK(t.verdicts.empty());
  t.advance(661);
  CAF_CHECK_EQUAL(all_told(t.verdicts), "y:A@600 [660]");
}

CAF_TEST(a flood of events out of order waits in a bounded buffer) {
  timeline t{line("A then B within 1h by k", {{"allowed_lateness_seconds", 3'600}})};
  for (std::size_t i = 0; i < buffered_events_max + 500; ++i)
    t.take({"A", 3'000 - static_cast<double>(i % 2'000), std::to_string(i % 7)});
  CAF_CHECK_EQUAL(t.view()["events_waiting"].get<std::size_t>(), buffered_events_max);
}

CAF_TEST(a match remembers the first and the latest events of a step only) {
  timeline t{line("A{3,} then B within 1h", {{"where", {{"A", {{"keep", {"n"}}}}}}})};
  for (int i = 1; i <= 1'000; ++i) t.take({"A", i * 0.1, "", {{"n", i}}});
  t.take({"B", 200});
  CAF_REQUIRE_EQUAL(t.verdicts.size(), 1u);
  const auto a = t.verdicts[0].woken_by["A"];
  CAF_CHECK_EQUAL(a["count"].get<int>(), 1'000);
  CAF_CHECK_EQUAL(a["events"].size(), 8u);
  CAF_CHECK_EQUAL(a["n"].get<int>(), 1);
  CAF_CHECK_EQUAL(a["last"]["n"].get<int>(), 1'000);
}

CAF_TEST(messages decide what is kept of events and nothing else is) {
  timeline t{line("A then B within 1h by k"),
             {{"type", "store"}, {"message", "{{A.user.name}} then {{ B.last.x }} {{k}}"}}};
  t.take({"A", 0, "k1", {{"user", {{"name", "ann"}, {"secret", "s"}}}, {"other", std::string(5'000, 'x')}}});
  CAF_CHECK(t.of->snapshot().size() < 1'000);
  t.take({"B", 1, "k1", {{"x", 7}}});
  CAF_REQUIRE_EQUAL(t.verdicts.size(), 1u);
  const auto match = t.verdicts[0].woken_by;
  CAF_CHECK_EQUAL(match["A"]["user"].dump(), R"({"name":"ann"})");
  CAF_CHECK_EQUAL(match["B"]["x"].get<int>(), 7);
  CAF_CHECK_EQUAL(t.verdicts[0].verdict.summary, "A then B within 1h by k (k k1), after 1s");
}

CAF_TEST(a rule that was away waits for the log before it tells an absence) {
  timeline t{line("A and no B within 10s")};
  t.take({"A", 0});
  pattern_evaluator back{t.definition};
  CAF_REQUIRE(back.restore(t.of->snapshot()).has_value());
  std::vector<key_verdict> told_now;
  back.advance(beginning + std::chrono::minutes{10}, told_now);
  CAF_CHECK(told_now.empty());
  CAF_REQUIRE(back.wake_at().has_value());
  const auto wake = *back.wake_at();
  CAF_CHECK(wake >= beginning + std::chrono::minutes{10} + pattern_evaluator::settling);
  auto b = to_event({"B", 5}, 9);
  back.take({subject::of(b), b.time, beginning + std::chrono::minutes{10}, &b}, told_now);
  back.advance(wake, told_now);
  CAF_CHECK(told_now.empty());
  pattern_evaluator lost{t.definition};
  CAF_REQUIRE(lost.restore(t.of->snapshot()).has_value());
  lost.advance(beginning + std::chrono::minutes{10}, told_now);
  lost.advance(*lost.wake_at(), told_now);
  CAF_CHECK_EQUAL(all_told(told_now), "A@0 [10]");
}

CAF_TEST(an absence wakes the rule and a plain sequence does not ) {
  timeline sequence{line("A then B within 10s")},
      absence{line("A and no B within 10s", {{"allowed_lateness_seconds", 3}})};
  sequence.take({"A", 0});
  absence.take({"A", 0});
  CAF_CHECK(!sequence.of->wake_at().has_value());
  CAF_CHECK(absence.of->wake_at() == beginning + std::chrono::seconds{3}); // the event waits for late ones
  absence.advance(3);
  CAF_REQUIRE(absence.of->wake_at().has_value());
  CAF_CHECK(*absence.of->wake_at() > beginning + std::chrono::seconds{13});
  CAF_CHECK(*absence.of->wake_at() <= beginning + std::chrono::milliseconds{13'100});
  absence.advance(13.1);
  CAF_CHECK_EQUAL(all_told(absence.verdicts), "A@0 [10]");
  CAF_CHECK(!absence.of->wake_at().has_value());
}

CAF_TEST(events that change nothing are not recorded) {
  timeline t{line("A then B within 10s by k")};
  t.take({"B", 0, "x"});
  CAF_CHECK(t.of->drain_record().is_null());
  t.take({"A", 1, "x"});
  CAF_CHECK(t.of->drain_record().contains("events"));
  t.take({"B", 2, "y"});
  CAF_CHECK(t.of->drain_record().is_null());
}

CAF_TEST(a damaged snapshot is an error and no crash) {
  timeline t{line("A then B within 10s by k")};
  for (
      const auto* text :
      {"x", "{}", R"({"v":1})", R"({"v":1,"fields":[1],"captures":[],"matches":[],"waiting":[]})",
       R"({"v":1,"w":0,"passed":0,"next":1,"arrivals":0,"fields":[],"captures":[],"waiting":[],"matches":[["[\"x\"]",0,1,0,0,1,1,9,false,[]]]})"})
    CAF_CHECK(!t.of->restore(text).has_value());
  CAF_CHECK(t.of->restore("").has_value());
}

CAF_TEST(a try with one event looks at the matches under way and changes nothing) {
  timeline t{line("A then B within 10s")};
  t.take({"A", 0});
  const auto before = t.of->snapshot();
  const auto b = to_event({"B", 5}, 2);
  CAF_CHECK(t.of->preview({subject::of(b), b.time, b.time, &b}).verdict.matched);
  CAF_CHECK_EQUAL(t.of->snapshot(), before);
  const auto a = to_event({"A", 5}, 2);
  const auto said = t.of->preview({subject::of(a), a.time, a.time, &a}).verdict;
  CAF_CHECK(!said.matched);
  CAF_CHECK_EQUAL(said.references["partial_matches"].get<int>(), 2);
}

CAF_TEST(a try with a list says what is wrong with it) {
  timeline t{line("A and no B within 10s")};
  const auto tried = [&](const json& payload) {
    return t.of->preview({subject::of(payload), beginning, beginning, nullptr}).verdict;
  };
  for (const auto& bad :
       {json(nullptr), json(7), json::array(), json{{"events", 1}}, json::array({1}), json::array({{{"at", 1}}}),
        json::array({{{"type", "A"}, {"at", "soon"}}}), json::array({{{"type", "A"}, {"time", "soon"}}}),
        json{{"events", json::array({{{"type", "A"}}})}, {"until", "never"}}}) {
    const auto said = tried(bad);
    if (said.matched || said.error.empty()) CAF_ERROR(bad << " is taken");
  }
  const auto only_a = json::array({{{"type", "A"}, {"at", 0}}});
  CAF_CHECK(tried(only_a).matched);
  CAF_CHECK(!tried({{"events", only_a}, {"until", 9}}).matched);
  CAF_CHECK(tried({{"events", only_a}, {"until", 11}}).matched);
}
