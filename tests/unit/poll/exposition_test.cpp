#define CAF_SUITE exposition

#include "actors/poll/exposition/exposition.hpp"
#include "actors/poll/exposition/query_answer.hpp"
#include "actors/poll/exposition/series_document.hpp"

#include <caf/test/unit_test.hpp>

#include <cmath>
#include <random>

using namespace tobit;
using namespace tobit::poll;

namespace {

constexpr std::string_view page = R"(# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="500"} 3 1395066363000
http_requests_total{method="get",code="503",} 4

# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""} 1.458255915e9
metric_without_timestamp_and_labels 12.47
something_weird{problem="division by zero"} +Inf -3982045
empty_so_far NaN
http_request_duration_seconds_bucket{le="0.05"} 24054 # {trace_id="abc"} 0.043 1.7e9
http_request_duration_seconds_bucket{le="+Inf"} 144320
	indented_total   5
{"quoted.name", zone="a"} 8
# EOF
)";

std::vector<series> found(std::string_view selector, std::string_view text = page) {
  auto wanted = series_selector::parse(selector);
  CAF_REQUIRE(wanted.has_value());
  auto all = read_exposition(text, *wanted);
  CAF_REQUIRE(all.has_value());
  return *all;
}

std::string fault(std::string_view selector) {
  const auto parsed = series_selector::parse(selector);
  return parsed ? "accepted" : parsed.error().message;
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

json document(std::string_view selector, std::string_view reduce) {
  auto made = series_document(found(selector), reduce);
  return made ? *made : json(made.error().message);
}

result<std::vector<series>> answer(const char* text) { return read_query_answer(json::parse(text)); }

} // namespace

CAF_TEST(a selector picks series by name and labels) {
  CAF_CHECK_EQUAL(found("http_requests_total").size(), 3u);
  CAF_CHECK_EQUAL(found("http_requests_total{code=\"500\"}").at(0).value, 3);
  CAF_CHECK_EQUAL(found("http_requests_total{code=~\"5..\"}").size(), 2u);
  CAF_CHECK_EQUAL(found("http_requests_total{code!~\"5.*\", method!=\"get\"}").at(0).value, 1027);
  CAF_CHECK_EQUAL(found("{__name__=\"http_requests_total\",code=\"503\"}").size(), 1u);
  CAF_CHECK_EQUAL(found("{__name__=~\"http_requests_.*\"}").size(), 3u);
  CAF_CHECK_EQUAL(found("http_requests_total{missing=\"\"}").size(), 3u); // as in PromQL
  CAF_CHECK_EQUAL(found("http_requests").size(), 0u);                     // no prefix of another name
}

CAF_TEST(what the format allows is understood) {
  CAF_CHECK_EQUAL(found("metric_without_timestamp_and_labels").at(0).value, 12.47);
  const auto file = found("msdos_file_access_time_seconds").at(0);
  CAF_CHECK_EQUAL(file.labels.at(0).second, "C:\\DIR\\FILE.TXT");
  CAF_CHECK_EQUAL(file.labels.at(1).second, "Cannot find file:\n\"FILE.TXT\"");
  CAF_CHECK(std::isinf(found("something_weird").at(0).value));
  CAF_CHECK(std::isnan(found("empty_so_far").at(0).value));
  CAF_CHECK_EQUAL(found("http_request_duration_seconds_bucket{le=\"0.05\"}").at(0).value, 24054);
  CAF_CHECK_EQUAL(found("indented_total").at(0).value, 5);
  CAF_CHECK_EQUAL(found("{__name__=\"quoted.name\"}").at(0).value, 8);
  CAF_CHECK_EQUAL(found("x", "x 1\r\ny 2\r\n").at(0).value, 1);
}

CAF_TEST(what is no page of metrics is refused with its line) {
  const auto wanted = *series_selector::parse("a");
  for (const auto* text : {"<html>", "a", "a b", "a{b=\"c\" 1", "a{b=c} 1", "a{=\"c\"} 1", "a{b=\"c} 1", "{} 1", "a 1x",
                           "a 0x10", "{\"status\":\"ok\"}"}) {
    const auto read = read_exposition("# fine\n" + std::string(text), wanted);
    CAF_CHECK(!read.has_value());
    if (!read) CAF_CHECK(contains(read.error().message, "Line 2 "));
  }
  std::string many;
  for (std::size_t i = 0; i <= series_max; ++i) many += "a{i=\"" + std::to_string(i) + "\"} 1\n";
  CAF_CHECK(contains(read_exposition(many, wanted).error().message, "more than 10000 series"));
}

CAF_TEST(a page cut off anywhere or with any byte changed ends with an answer) {
  const auto wanted = *series_selector::parse("{__name__=~\".+\"}");
  for (std::size_t end = 0; end <= page.size(); ++end)
    if (const auto read = read_exposition(page.substr(0, end), wanted)) CAF_CHECK(read->size() < 12);
  std::mt19937 random(20261120);
  for (int i = 0; i < 2'000; ++i) {
    std::string text(page);
    for (int k = 0; k < 3; ++k) text[random() % text.size()] = static_cast<char>(random() % 256);
    if (const auto read = read_exposition(text, wanted)) CAF_CHECK(read->size() < 20);
  }
}

CAF_TEST(a selector that is none says what was expected) {
  CAF_CHECK(contains(fault(""), "the name of a metric"));
  CAF_CHECK(contains(fault("{}"), "the name of a metric"));
  CAF_CHECK(contains(fault("a{"), "'}'"));
  CAF_CHECK(contains(fault("a{b}"), "one of =, !=, =~, !~"));
  CAF_CHECK(contains(fault("a{b=c}"), "double quotes"));
  CAF_CHECK(contains(fault("a{b=\"c}"), "closing quote"));
  CAF_CHECK(contains(fault("a{b=\"c\" d=\"e\"}"), "',' or '}'"));
  CAF_CHECK(contains(fault("a{b=~\"(\"}"), "not a regular expression"));
  CAF_CHECK(contains(fault("a[5m]"), "nothing more"));
  CAF_CHECK(contains(fault("rate(a)"), "nothing more"));
  CAF_CHECK(contains(fault(std::string(3'000, 'a')), "at most 2000 bytes"));
}

CAF_TEST(several series are an error until somebody says what becomes of them) {
  CAF_CHECK(contains(document("http_requests_total", "one").get<std::string>(), "There are 3 series"));
  CAF_CHECK_EQUAL(document("http_requests_total", "sum")["value"], 1034);
  CAF_CHECK_EQUAL(document("http_requests_total", "max")["value"], 1027);
  CAF_CHECK_EQUAL(document("http_requests_total", "min")["value"], 3);
  CAF_CHECK_EQUAL(document("http_requests_total", "min")["code"], "500");
  CAF_CHECK_EQUAL(document("http_requests_total", "first")["series"], 3);
  CAF_CHECK_EQUAL(document("http_requests_total{code=~\"5..\"}", "avg")["value"], 3.5);
  const auto each = document("http_requests_total", "each");
  CAF_CHECK_EQUAL(each["readings"].size(), 3u);
  CAF_CHECK_EQUAL(each["readings"][1]["labels"]["code"], "500");
}

CAF_TEST(no series is no value and what is not finite is text) {
  CAF_CHECK(document("nothing", "one")["value"].is_null());
  CAF_CHECK_EQUAL(document("something_weird", "one")["value"], "+Inf");
  CAF_CHECK_EQUAL(document("empty_so_far", "max")["value"], "NaN");
}

CAF_TEST(scalars and vectors of a query are read) {
  CAF_CHECK_EQUAL(answer(R"({"status":"success","data":{"resultType":"scalar","result":[1.5,"42"]}})")->at(0).value,
                  42);
  const auto vector = answer(R"({"status":"success","data":{"resultType":"vector","result":[
    {"metric":{"__name__":"up","job":"api"},"value":[1.5,"1"]},{"metric":{},"value":[1.5,"NaN"]}]}})");
  CAF_REQUIRE(vector.has_value());
  CAF_CHECK_EQUAL(vector->at(0).name, "up");
  CAF_CHECK_EQUAL(vector->at(0).labels.at(0).second, "api");
  CAF_CHECK(std::isnan(vector->at(1).value));
  CAF_CHECK(answer(R"({"status":"success","data":{"resultType":"vector","result":[]}})")->empty());
}

CAF_TEST(what a query cannot give is said in the words of the server) {
  const auto refused = answer(R"({"status":"error","errorType":"bad_data","error":"parse error: unexpected end"})");
  CAF_CHECK(contains(refused.error().message, "bad_data"));
  CAF_CHECK(contains(refused.error().message, "unexpected end"));
  CAF_CHECK(contains(answer(R"({"status":"success","data":{"resultType":"matrix","result":[]}})").error().message,
                     "gives a matrix"));
  for (const auto* text :
       {"[]", "{}", R"({"status":"success"})", R"({"status":"success","data":[]})",
        R"({"status":"success","data":{"resultType":"scalar","result":"7"}})",
        R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{}}]}})",
        R"({"status":"success","data":{"resultType":"vector","result":[{"value":[1,"1"]}]}})",
        R"({"status":"success","data":{"resultType":"vector","result":[7]}})", R"({"status":"error","error":7})"})
    CAF_CHECK(!answer(text).has_value());
}
