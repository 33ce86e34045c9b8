#define CAF_SUITE event_parser

#include "actors/event/event_parser.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::event;

namespace {

struct fixture {
  utc_time now = from_micros(1'800'000'000'000'000);
  event_limits limits;

  result<parsed_request> parse(std::string body, event_format format = event_format::json,
                               std::vector<std::pair<std::string, std::string>> attributes = {},
                               std::string type = {}) {
    ingest_request request;
    request.context = new_call(system_identity(tenant_id{"default"}));
    request.format = format;
    request.body = std::move(body);
    request.attributes = std::move(attributes);
    request.data_content_type = std::move(type);
    return parse_events(request, now, limits);
  }

  /// The only event of a body that must be well.
  json one(std::string body, event_format format = event_format::json,
           std::vector<std::pair<std::string, std::string>> attributes = {}, std::string type = {}) {
    auto parsed = parse(std::move(body), format, std::move(attributes), std::move(type));
    if (!parsed || parsed->events.lines.size() != 1) {
      CAF_MESSAGE("not one event: " << (parsed ? std::string(parsed->report.rejected_total
                                                                 ? parsed->report.rejected[0].reason.text()
                                                                 : "?")
                                               : std::string(parsed.error().text())));
      return json();
    }
    return *parse_json(parsed->events.line(0));
  }

  /// The reason why the only event of a body is rejected.
  error reason(std::string body, event_format format = event_format::json) {
    auto parsed = parse(std::move(body), format);
    if (!parsed) return error{parsed.error().code, "whole body: " + parsed.error().message};
    if (parsed->report.rejected.size() != 1) return error{error_code::internal_server_error, "not rejected"};
    return parsed->report.rejected[0].reason;
  }
};

std::string text_of(const json& event, const char* name) { return event.value(name, ""); }

error_code code_of(const error& why) { return why.code; }
std::string pointer_of(const error& why) { return why.pointer; }
error_code code_of(const result<parsed_request>& parsed) { return parsed ? error_code{} : parsed.error().code; }

const std::string cloud = R"("specversion":"1.0","id":"1","source":"/s","type":"t")";

} // namespace

CAF_TEST_FIXTURE_SCOPE(event_parser_tests, fixture)

CAF_TEST(a bare object gets id and source and time) {
  const auto event = one(R"({"type":"order.created","data":{"amount":12.5,"tags":["a","b"]}})");
  CAF_CHECK_EQUAL(event.value("type", ""), "order.created");
  CAF_CHECK_EQUAL(event.value("source", ""), "/ingest");
  CAF_CHECK_EQUAL(event.value("time", ""), to_rfc3339(now));
  CAF_CHECK_EQUAL(event.value("id", "").size(), 36u);
  CAF_CHECK_EQUAL(event["data"]["amount"], 12.5);
  CAF_CHECK_EQUAL(event["specversion"], "1.0");
}

CAF_TEST(what a bare object says is kept) {
  const auto event =
      one(R"({"id":"7","type":"t","source":"urn:x","subject":"s","time":"2026-01-02T03:04:05+01:00","data":null})");
  CAF_CHECK_EQUAL(event["id"], "7");
  CAF_CHECK_EQUAL(event["source"], "urn:x");
  CAF_CHECK_EQUAL(event["subject"], "s");
  CAF_CHECK_EQUAL(event["time"], "2026-01-02T02:04:05.000000Z");
  CAF_CHECK(event["data"].is_null());
}

CAF_TEST(a structured cloud event keeps its extensions) {
  const auto event =
      one("{" + cloud + R"(,"partitionkey":"k","sequence":12,"important":true,"absent":null,"data":[1]})",
          event_format::structured);
  CAF_CHECK_EQUAL(event["partitionkey"], "k");
  CAF_CHECK_EQUAL(event["sequence"], 12);
  CAF_CHECK_EQUAL(event["important"], true);
  CAF_CHECK(!event.contains("absent"));
}

CAF_TEST(binary data in base64 stays a text) {
  CAF_CHECK_EQUAL(text_of(one("{" + cloud + R"(,"data_base64":"aGVsbG8="})"), "data"), "aGVsbG8=");
}

CAF_TEST(the canonical line is read back as the same event) {
  const auto parsed = parse("{" + cloud + R"(,"ext":"a\"\\\n".replace})");
  CAF_CHECK(!parsed);
  const auto good =
      parse("{" + cloud + R"(,"subject":"Grüße \"q\" \\ /","data":{"text":"line\nbreak \u0001 \ud83d\ude00"}})");
  CAF_REQUIRE(good && good->events.lines.size() == 1);
  const auto event = to_event(good->events.line(0));
  CAF_REQUIRE(event);
  CAF_CHECK_EQUAL((*event)->subject, "Grüße \"q\" \\ /");
  CAF_CHECK_EQUAL((*event)->data["text"], "line\nbreak \x01 😀");
}

CAF_TEST(an array and ndjson give the events in their order) {
  const std::string a = R"({"type":"a"})", b = R"({"type":"b"})";
  for (const auto& parsed : {parse("[" + a + "," + b + "]"), parse(a + "\r\n\n" + b + "\n", event_format::ndjson),
                             parse(a + "\n" + b, event_format::ndjson)}) {
    CAF_REQUIRE(parsed);
    CAF_REQUIRE_EQUAL(parsed->events.lines.size(), 2u);
    CAF_CHECK_EQUAL(text_of(*parse_json(parsed->events.line(0)), "type"), "a");
    CAF_CHECK_EQUAL(text_of(*parse_json(parsed->events.line(1)), "type"), "b");
    CAF_CHECK_EQUAL(parsed->events.pairs.size(), 2u);
    CAF_CHECK_EQUAL(parsed->events.pairs[parsed->events.lines[1].pair].first, "b");
  }
}

CAF_TEST(the batch format takes cloud events only) {
  auto parsed = parse("[{" + cloud + R"(},{"type":"bare"}])", event_format::batch);
  CAF_REQUIRE(parsed);
  CAF_CHECK_EQUAL(parsed->events.lines.size(), 1u);
  CAF_REQUIRE_EQUAL(parsed->report.rejected.size(), 1u);
  CAF_CHECK_EQUAL(parsed->report.rejected[0].index, 1u);
  CAF_CHECK_EQUAL(parsed->report.rejected[0].reason.pointer, "/specversion");
  CAF_CHECK_EQUAL(code_of(parse("{" + cloud + "}", event_format::batch)), error_code::malformed_json);
  CAF_CHECK_EQUAL(code_of(parse("[]", event_format::structured)), error_code::malformed_json);
}

CAF_TEST(binary mode takes attributes from headers and any data) {
  const std::vector<std::pair<std::string, std::string>> headers{
      {"specversion", "1.0"}, {"id", "1"}, {"source", "/s"}, {"type", "caf%C3%A9"}, {"traceparent", "00-1"}};
  const auto with_json = one(R"({"a":1})", event_format::binary, headers, "application/json; charset=utf-8");
  CAF_CHECK_EQUAL(with_json["data"]["a"], 1);
  CAF_CHECK_EQUAL(with_json["type"], "café");
  CAF_CHECK_EQUAL(with_json["traceparent"], "00-1");
  CAF_CHECK_EQUAL(text_of(one("plain words", event_format::binary, headers, "text/plain"), "data"), "plain words");
  CAF_CHECK_EQUAL(
      text_of(one(std::string("\x00\xff", 2), event_format::binary, headers, "application/octet-stream"), "data"),
      "AP8=");
  const auto without = one("", event_format::binary, headers, "application/json");
  CAF_CHECK(without["data"].is_null());
}

CAF_TEST(data of binary mode cannot bring attributes of its own) {
  const std::vector<std::pair<std::string, std::string>> headers{
      {"specversion", "1.0"}, {"id", "1"}, {"source", "/s"}, {"type", "t"}};
  auto parsed = parse(R"(1,"type":"evil")", event_format::binary, headers, "application/json");
  CAF_REQUIRE(!parsed);
  CAF_CHECK_EQUAL(parsed.error().code, error_code::malformed_json);
}

CAF_TEST(numbers that are none get the way out) {
  for (const std::string number : {"NaN", "-Infinity", "inf"}) {
    const auto parsed = parse(R"({"type":"t","data":{"v":)" + number + "}}");
    CAF_REQUIRE(!parsed);
    CAF_CHECK(parsed.error().message.find("send null") != std::string::npos);
  }
  const auto other = parse(R"({"type":"t","data":{"info":"infinite","v":]}})");
  CAF_REQUIRE(!other);
  CAF_CHECK(other.error().message.find("send null") == std::string::npos);
}

CAF_TEST(each broken rule is told with its pointer) {
  const std::vector<std::pair<std::string, std::string>> samples{
      {R"({"data":1})", "/type"},
      {R"({"type":5})", "/type"},
      {R"({"type":""})", "/type"},
      {R"({"type":"t","type":"u"})", "/type"},
      {R"({"type":"t","value":5})", "/value"},
      {R"({"type":"t","a/b":5})", "/a~1b"},
      {R"({"type":"t","time":"yesterday"})", "/time"},
      {R"({"type":"t","time":17})", "/time"},
      {R"({"type":"t","source":"has space"})", "/source"},
      {"{\"type\":\"t\",\"subject\":\"bell\\u0007\"}", "/subject"},
      {"{" + cloud + R"(,"UPPER":"x"})", "/UPPER"},
      {"{" + cloud + R"(,"ext":1.5})", "/ext"},
      {"{" + cloud + R"(,"ext":3000000000})", "/ext"},
      {"{" + cloud + R"(,"ext":{"a":1}})", "/ext"},
      {"{" + cloud + R"(,"dataschema":"relative"})", "/dataschema"},
      {"{" + cloud + R"(,"data_base64":"***"})", "/data_base64"},
      {"{" + cloud + R"(,"data":1,"data_base64":"aGk="})", "/data_base64"},
      {R"({"specversion":"0.3","id":"1","source":"/s","type":"t"})", "/specversion"},
      {R"({"specversion":"1.0","source":"/s","type":"t"})", "/id"},
      {R"({"specversion":"1.0","id":"1","type":"t"})", "/source"},
  };
  for (const auto& [body, pointer] : samples) {
    const auto why = reason(body);
    CAF_MESSAGE(body << " -> " << why.message);
    CAF_CHECK_EQUAL(why.code, error_code::validation_error);
    CAF_CHECK_EQUAL(why.pointer, pointer);
    CAF_CHECK(!why.message.empty());
  }
  CAF_CHECK_EQUAL(code_of(reason("5")), error_code::validation_error);
}

CAF_TEST(a document that is no json is refused as a whole) {
  for (const std::string body :
       {"", "  ", "{", "[1,", "{\"type\":\"t\"} trailing", "nul", "{\"type\":\"\xff\"}", "[{\"type\":\"t\"},]", "NaN",
        "{\"type\":\"t\",\"data\":1e999}", "{\"type\":\"t\",\"data\":123456789012345678901234567890}",
        "{\"type\":\"t\",\"data\":Infinity}"}) {
    auto parsed = parse(body);
    CAF_REQUIRE(!parsed);
    CAF_CHECK_EQUAL(parsed.error().code, error_code::malformed_json);
    CAF_CHECK(!parsed.error().message.empty());
  }
}

CAF_TEST(a bad line of ndjson is rejected by itself) {
  auto parsed = parse("{\"type\":\"a\"}\n{bad\n\n{\"type\":\"\xff\"}\n{\"type\":\"b\"}\n", event_format::ndjson);
  CAF_REQUIRE(parsed);
  CAF_CHECK_EQUAL(parsed->events.lines.size(), 2u);
  CAF_REQUIRE_EQUAL(parsed->report.rejected_total, 2u);
  CAF_CHECK_EQUAL(parsed->report.rejected[0].index, 1u);
  CAF_CHECK_EQUAL(parsed->report.rejected[0].reason.code, error_code::malformed_json);
  CAF_CHECK_EQUAL(parsed->report.rejected[1].index, 2u);
}

CAF_TEST(nesting is bounded and what passes can be read back) {
  const auto nested = [](int depth) {
    return "{\"type\":\"t\",\"data\":" + std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']') + "}";
  };
  for (int depth = 55; depth < 70; ++depth) {
    for (const auto& [body, format] :
         {std::pair{nested(depth), event_format::json}, std::pair{"[" + nested(depth) + "]", event_format::json},
          std::pair{nested(depth) + "\n", event_format::ndjson}}) {
      auto parsed = parse(body, format);
      if (parsed && parsed->events.lines.size() == 1) CAF_CHECK(to_event(parsed->events.line(0)).has_value());
      if (depth < 60) CAF_CHECK(parsed && parsed->events.lines.size() == 1);
      if (depth > 65) CAF_CHECK(!parsed || parsed->events.lines.empty());
    }
  }
  CAF_CHECK(!parse(std::string(1'000'000, '[')));
}

CAF_TEST(sizes and counts are bounded) {
  CAF_CHECK_EQUAL(code_of(reason(R"({"type":"t","data":")" + std::string(300'000, 'x') + "\"}")),
                  error_code::payload_too_large);
  CAF_CHECK_EQUAL(
      code_of(reason(R"({"type":"t","data":")" + std::string(300'000, 'x') + "\"}\n", event_format::ndjson)),
      error_code::payload_too_large);
  CAF_CHECK_EQUAL(pointer_of(reason(R"({"type":")" + std::string(3'000, 'x') + "\"}")), "/type");
  std::string lines, array = "[{\"type\":\"t\"}";
  for (int i = 0; i < 10'001; ++i) lines += "{\"type\":\"t\"}\n", array += ",{\"type\":\"t\"}";
  CAF_CHECK_EQUAL(code_of(parse(lines, event_format::ndjson)), error_code::payload_too_large);
  CAF_CHECK_EQUAL(code_of(parse(array + "]")), error_code::payload_too_large);
  std::string bad;
  for (int i = 0; i < 500; ++i) bad += "{}\n";
  auto parsed = parse(bad, event_format::ndjson);
  CAF_REQUIRE(parsed);
  CAF_CHECK_EQUAL(parsed->report.rejected_total, 500u);
  CAF_CHECK_EQUAL(parsed->report.rejected.size(), 100u);
  std::string extensions = "{" + cloud;
  for (int i = 0; i < 50; ++i) extensions += ",\"e" + std::to_string(i) + "\":1";
  CAF_CHECK_EQUAL(code_of(reason(extensions + "}")), error_code::validation_error);
}

CAF_TEST(the same source and id are the same event and others are not ) {
  const auto hash = [this](const std::string& id, const std::string& source) {
    auto parsed = parse(R"({"type":"t","id":")" + id + R"(","source":")" + source + "\"}");
    return parsed->hashes.at(0);
  };
  CAF_CHECK(hash("1", "/a") == hash("1", "/a"));
  CAF_CHECK(hash("1", "/a") != hash("2", "/a"));
  CAF_CHECK(hash("1", "/a") != hash("1", "/b"));
  CAF_CHECK(hash_of("t", "a", "bc") != hash_of("t", "ab", "c"));
  CAF_CHECK(hash_of("t1", "a", "b") != hash_of("t2", "a", "b"));
}

CAF_TEST_FIXTURE_SCOPE_END()
