#define CAF_SUITE log

#include "runtime/telemetry/log.hpp"
#include "schemas/json.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::telemetry;

namespace {

call_context some_call() {
  auto who = std::make_shared<const identity>(identity{tenant_id{"acme"}, principal_id{"u1"}, role::viewer, "req-7"});
  auto context = new_call(who);
  context.trace = *parse_trace_id("4bf92f3577b34da6a3ce929d0e0e4736");
  return context;
}

log_record record_of(const std::vector<log_field>& fields, std::string_view prose = {},
                     const call_context* context = nullptr) {
  return {from_micros(1'763'627'400'123'456),
          log_level::warning,
          context,
          "entity.quarantined",
          prose,
          fields.data(),
          fields.size()};
}

} // namespace

CAF_TEST(a line begins with time level and key and goes on with fields) {
  const std::vector<log_field> fields{
      {"kind", "rule"}, {"restarts", 5}, {"revived", false}, {"reason", "it broke = \"badly\""}};
  CAF_CHECK_EQUAL(format_text(record_of(fields)), "2025-11-20T08:30:00.123456Z warning entity.quarantined kind=rule "
                                                  "restarts=5 revived=false reason=\"it broke = \\\"badly\\\"\"");
}

CAF_TEST(a line of a request carries its trace tenant and request id) {
  const auto context = some_call();
  const auto text = format_text(record_of({}, "Set aside.", &context));
  CAF_CHECK_EQUAL(text, "2025-11-20T08:30:00.123456Z warning entity.quarantined \"Set aside.\" "
                        "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 tenant=acme request_id=req-7");
  const auto parsed = parse_json(format_json(record_of({}, "Set aside.", &context)));
  CAF_REQUIRE(parsed.has_value());
  CAF_CHECK_EQUAL(parsed->at("trace_id"), "4bf92f3577b34da6a3ce929d0e0e4736");
  CAF_CHECK_EQUAL(parsed->at("message"), "Set aside.");
  CAF_CHECK_EQUAL(parsed->at("tenant"), "acme");
}

CAF_TEST(no value can break out of its line) {
  const std::vector<log_field> fields{{"text", "a\nb\x01\xff\x7f \xEA\xB0\x80"}, {"bad name=\n", "x"}, {"empty", ""}};
  const auto text = format_text(record_of(fields, "two\nlines"));
  CAF_CHECK_EQUAL(text.find('\n'), std::string::npos);
  CAF_CHECK_NOT_EQUAL(text.find("text=\"a\\nb\\u0001\xEF\xBF\xBD\\u007f \xEA\xB0\x80\""), std::string::npos);
  CAF_CHECK_NOT_EQUAL(text.find("bad_name__=x empty=\"\""), std::string::npos);
  const auto parsed = parse_json(format_json(record_of(fields)));
  CAF_REQUIRE(parsed.has_value());
  CAF_CHECK_EQUAL(parsed->at("text"), "a\nb\x01\xEF\xBF\xBD\x7f \xEA\xB0\x80");
}

CAF_TEST(secrets never reach a line) {
  const std::vector<log_field> fields{{"password", "hunter2"},
                                      {"url", "postgresql://u:hunter2@db/x"},
                                      {"header", "Authorization: Bearer hunter2hunter2"}};
  for (const auto& line :
       {format_text(record_of(fields, "api_key=hunter2")), format_json(record_of(fields, "api_key=hunter2"))})
    CAF_CHECK_EQUAL(line.find("hunter2"), std::string::npos);
}

CAF_TEST(a huge value is cut at a character) {
  std::string huge;
  for (int i = 0; i < 5'000; ++i) huge += "\xEA\xB0\x80";
  const std::vector<log_field> fields{{"body", huge}};
  const auto parsed = parse_json(format_json(record_of(fields)));
  CAF_REQUIRE(parsed.has_value());
  const auto body = parsed->at("body").get<std::string>();
  CAF_CHECK(body.size() <= log_value_max + 3);
  CAF_CHECK_EQUAL(body.substr(body.size() - 3), "…");
}

CAF_TEST(lines below the level go nowhere until it is changed) {
  memory_log log(log_level::warning);
  log.info("node.started");
  log.error("node.broken", "It broke.", {{"why", error{error_code::overloaded, "Too much."}}});
  log.set_level(log_level::debug);
  log.debug(some_call(), "step", {}, {{"ref", entity_ref{"rule", tenant_id{"t"}, "k"}}});
  const auto lines = log.lines();
  CAF_REQUIRE_EQUAL(lines.size(), 2u);
  CAF_CHECK_EQUAL(lines[0], "error node.broken \"It broke.\" why=\"OVERLOADED: Too much.\"");
  CAF_CHECK_EQUAL(lines[1].substr(lines[1].size() - 12), "ref=rule/t/k");
}

CAF_TEST(levels are read and written by name) {
  for (auto level : {log_level::debug, log_level::info, log_level::warning, log_level::error})
    CAF_CHECK(parse_log_level(to_string(level)) == level);
  CAF_CHECK(!parse_log_level("loud"));
}
