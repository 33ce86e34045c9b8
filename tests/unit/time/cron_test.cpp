#define CAF_SUITE cron

#include "runtime/time/cron.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;

namespace {

utc_time at(std::string_view text) { return parse_rfc3339(text).value(); }

/// The next firing times in UTC, shortened to what differs.
std::string firings(std::string_view expression, std::string_view after, int count,
                    std::string_view zone_name = "UTC") {
  const auto cron = parse_cron(expression);
  const auto zone = find_time_zone(zone_name).value();
  if (!cron) return cron.error().message;
  std::string all;
  auto t = at(after);
  for (int i = 0; i < count; ++i) {
    t = next_after(*cron, zone, t).value();
    all += (all.empty() ? "" : " ") + to_rfc3339(t).substr(0, 19);
  }
  return all;
}

std::string refusal(std::string_view expression) {
  const auto cron = parse_cron(expression);
  if (cron) return "accepted";
  return cron.error().code == error_code::validation_error ? cron.error().message : "wrong code";
}

bool refused_with(std::string_view expression, std::string_view part) {
  const auto sentence = refusal(expression);
  if (sentence.find(part) != std::string::npos) return true;
  CAF_MESSAGE("'" << std::string(expression) << "' gave: " << sentence);
  return false;
}

} // namespace

CAF_TEST(five fields start at the minute) {
  CAF_CHECK_EQUAL(firings("*/20 * * * *", "2026-11-20T08:30:00Z", 3),
                  "2026-11-20T08:40:00 2026-11-20T09:00:00 2026-11-20T09:20:00");
  CAF_CHECK_EQUAL(firings("30 8 * * *", "2026-11-20T08:30:00Z", 1), "2026-11-21T08:30:00");
  CAF_CHECK_EQUAL(firings("30 8 * * *", "2026-11-20T08:29:59.999999Z", 1), "2026-11-20T08:30:00");
}

CAF_TEST(six fields start at the second) {
  CAF_CHECK_EQUAL(firings("15,45 * * * * *", "2026-11-20T08:30:20Z", 3),
                  "2026-11-20T08:30:45 2026-11-20T08:31:15 2026-11-20T08:31:45");
  CAF_CHECK_EQUAL(firings("10/20 0 0 1 1 *", "2026-11-20T08:30:20Z", 3),
                  "2027-01-01T00:00:10 2027-01-01T00:00:30 2027-01-01T00:00:50");
}

CAF_TEST(names stand for months and weekdays in any case) {
  CAF_CHECK_EQUAL(firings("0 0 * jan Mon", "2026-11-20T00:00:00Z", 2), "2027-01-04T00:00:00 2027-01-11T00:00:00");
  CAF_CHECK_EQUAL(firings("0 0 * * FRI-SUN", "2026-11-20T00:00:00Z", 3),
                  "2026-11-21T00:00:00 2026-11-22T00:00:00 2026-11-27T00:00:00");
  CAF_CHECK_EQUAL(firings("0 0 * * 7", "2026-11-20T00:00:00Z", 1), firings("0 0 * * 0", "2026-11-20T00:00:00Z", 1));
}

CAF_TEST(a day needs one of two restricted day fields but both where one is open) {
  CAF_CHECK_EQUAL(firings("0 0 13 * 5", "2026-11-12T00:00:00Z", 3),
                  "2026-11-13T00:00:00 2026-11-20T00:00:00 2026-11-27T00:00:00");
  CAF_CHECK_EQUAL(firings("0 0 ? * 5", "2026-11-12T00:00:00Z", 2), "2026-11-13T00:00:00 2026-11-20T00:00:00");
  CAF_CHECK_EQUAL(firings("0 0 */2 * 1", "2026-11-01T00:00:00Z", 3),
                  "2026-11-09T00:00:00 2026-11-23T00:00:00 2026-12-07T00:00:00");
}

CAF_TEST(the last day of a month is found in every length of month) {
  CAF_CHECK_EQUAL(firings("0 0 L * *", "2028-01-15T00:00:00Z", 4),
                  "2028-01-31T00:00:00 2028-02-29T00:00:00 2028-03-31T00:00:00 2028-04-30T00:00:00");
  CAF_CHECK_EQUAL(firings("0 0 L-2 * *", "2027-02-01T00:00:00Z", 2), "2027-02-26T00:00:00 2027-03-29T00:00:00");
}

CAF_TEST(working days are found next to a day and at the end of a month) {
  CAF_CHECK_EQUAL(firings("0 0 15W * *", "2026-08-01T00:00:00Z", 2), "2026-08-14T00:00:00 2026-09-15T00:00:00");
  CAF_CHECK_EQUAL(firings("0 0 1W 8 *", "2026-07-01T00:00:00Z", 1), "2026-08-03T00:00:00");
  CAF_CHECK_EQUAL(firings("0 0 LW 5 *", "2026-05-01T00:00:00Z", 1), "2026-05-29T00:00:00");
}

CAF_TEST(the last and the nth weekday of a month are found) {
  CAF_CHECK_EQUAL(firings("0 0 * * FRIL", "2026-11-01T00:00:00Z", 2), "2026-11-27T00:00:00 2026-12-25T00:00:00");
  CAF_CHECK_EQUAL(firings("0 0 * * MON#2", "2026-11-01T00:00:00Z", 2), "2026-11-09T00:00:00 2026-12-14T00:00:00");
  CAF_CHECK_EQUAL(firings("0 0 ? * 5#5", "2026-11-01T00:00:00Z", 1), "2027-01-29T00:00:00");
}

CAF_TEST(macros mean what crontab says) {
  CAF_CHECK_EQUAL(firings("@hourly", "2026-11-20T08:30:00Z", 1), "2026-11-20T09:00:00");
  CAF_CHECK_EQUAL(firings("@daily", "2026-11-20T08:30:00Z", 1), "2026-11-21T00:00:00");
  CAF_CHECK_EQUAL(firings("@weekly", "2026-11-20T08:30:00Z", 1), "2026-11-22T00:00:00");
  CAF_CHECK_EQUAL(firings("@monthly", "2026-11-20T08:30:00Z", 1), "2026-12-01T00:00:00");
  CAF_CHECK_EQUAL(firings("@yearly", "2026-11-20T08:30:00Z", 1), "2027-01-01T00:00:00");
  CAF_CHECK(refused_with("@reboot", "@hourly"));
}

CAF_TEST(leap days wait for leap years across the century) {
  CAF_CHECK_EQUAL(firings("0 0 29 2 *", "2096-02-28T00:00:00Z", 2), "2096-02-29T00:00:00 2104-02-29T00:00:00");
}

CAF_TEST(a refusal names the field and the value and the range) {
  CAF_CHECK(refused_with("61 * * * *", "minute 61 is not in 0–59"));
  CAF_CHECK(refused_with("* 24 * * *", "hour 24 is not in 0–23"));
  CAF_CHECK(refused_with("* * 0 * *", "day-of-month 0 is not in 1–31"));
  CAF_CHECK(refused_with("* * * 13 *", "month 13 is not in 1–12"));
  CAF_CHECK(refused_with("* * * * 8", "day-of-week 8 is not in 0–7"));
  CAF_CHECK(refused_with("60 * * * * *", "second 60 is not in 0–59"));
  CAF_CHECK(refused_with("99999999999999999999 * * * *", "is not in 0–59"));
  CAF_CHECK(refused_with("a * * * *", "minute 'a' is not a number in 0–59"));
  CAF_CHECK(refused_with("* * * FOO *", "or a name such as JAN"));
  CAF_CHECK(refused_with("*/0 * * * *", "minute step '0' is not in 1–59"));
  CAF_CHECK(refused_with("* 22-2 * * *", "write it as '22-23,0-2'"));
  CAF_CHECK(refused_with("* * * * L", "FRIL"));
  CAF_CHECK(refused_with("* * * * 1#6", "not in 1–5"));
  CAF_CHECK(refused_with("? * * * *", "minute '?'"));
}

CAF_TEST(nonsense is refused with the number of fields or the item) {
  for (auto text : {"",
                    " ",
                    "*",
                    "* * * *",
                    "* * * * * * *",
                    "hello world this is cron",
                    "1,,2 * * * *",
                    ", * * * *",
                    "1- * * * *",
                    "-1 * * * *",
                    "1/ * * * *",
                    "*/ * * * *",
                    "1-2-3 * * * *",
                    "** * * * *",
                    "* * L-31 * *",
                    "* * 32W * *",
                    "* * W * *",
                    "* * * * #2",
                    "* * * * 1#",
                    "@",
                    "@daily @daily",
                    "+5 * * * *",
                    "1.5 * * * *",
                    "0x1 * * * *",
                    "\x01 * * * *",
                    "é * * * *"})
    CAF_CHECK_NOT_EQUAL(refusal(text), "accepted");
  CAF_CHECK(refused_with(std::string(300, '*'), "longer than 256"));
}

CAF_TEST(what can never come is refused) {
  for (auto text : {"* * 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 ?", "0 0 L-30 2 *"})
    CAF_CHECK(refused_with(text, "never fires"));
  CAF_CHECK_EQUAL(refusal("0 0 31 2 1"), "accepted"); // the weekday alone admits days of February
}

CAF_TEST(an expression is small and its next firing is quick) {
  CAF_CHECK(sizeof(cron_expression) <= 64);
  const auto cron = parse_cron("0 0 29 2 *").value();
  const auto zone = find_time_zone("America/New_York").value();
  const auto begin = std::chrono::steady_clock::now();
  auto t = at("2026-11-20T08:30:00Z");
  constexpr int rounds = 1'000;
  for (int i = 0; i < rounds; ++i) t = next_after(cron, zone, t).value_or(at("2026-11-20T08:30:00Z"));
  const auto each = (std::chrono::steady_clock::now() - begin) / rounds;
  CAF_MESSAGE("leap day: " << std::chrono::nanoseconds(each).count() << " ns each");
  CAF_CHECK(each < std::chrono::milliseconds{1}); // generous: sanitizers and busy machines
}

CAF_TEST(an unknown time zone is refused with a suggestion) {
  const auto suggestion = [](std::string_view name) { return find_time_zone(name).error().message; };
  CAF_CHECK(suggestion("Seoul").find("'Asia/Seoul'") != std::string::npos);
  CAF_CHECK(suggestion("europe/berlin").find("'Europe/Berlin'") != std::string::npos);
  CAF_CHECK(suggestion("America/New York").find("'America/New_York'") != std::string::npos);
  for (auto name : {"", "Mars/Phobos", "../../etc/passwd", "Asia/", "/"})
    CAF_CHECK_EQUAL(find_time_zone(name).error().code == error_code::validation_error, true);
}
