#define CAF_SUITE bad_input

#include "http/route/route_table.hpp"
#include "tests/actor/http/edge_fixture.hpp"
#include "tests/actor/http/fake_entities.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <random>

using namespace tobit;
using testing::edge_fixture;

namespace {

struct full_fixture : edge_fixture {
  testing::fake_entities entities{store.get()};
  testing::fake_intake intake;
  testing::rule_kinds rules;

  full_fixture() {
    deps.entities = &entities;
    deps.effects = &entities;
    deps.kinds = &rules.kinds;
    deps.intake = &intake;
    intake.report.accepted = 1;
    options.login_attempts_per_minute = 1e9;
    start();
    sign_in();
  }
  ~full_fixture() { edge->stop(), edge->finish(), store.close(); }
};

std::string path_of(const http::route& r) {
  auto path = r.path;
  for (auto open = path.find('{'); open != std::string::npos; open = path.find('{'))
    path.replace(open, path.find('}') - open + 1, "rule");
  return path;
}

bool takes_body(const http::route& r) { return r.body.has_value(); }

/// Requests that end sessions would only test the sign in.
bool ends_session(const http::route& r) { return r.path == "/auth/logout" || r.path == "/auth/password"; }

const std::vector<std::string> broken_bodies{
    "",
    " ",
    "{",
    "[",
    "\"",
    "{\"a\":",
    "{\"a\":1,}",
    "nul",
    "\xff\xfe",
    "{\"a\":\"\xc3\x28\"}",
    "{\"a\":\"\xed\xa0\x80\"}",
    std::string("{\"a\":\"\0\"}", 9),
    "{\"rule_name\":\"a\\u0000b\",\"trigger_type\":\"event\",\"trigger_spec\":{}}",
    "{\"email\":\"a\\u0000b\",\"username\":\"a\\u0000b\",\"password\":"
    "\"\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\"}",
    "1e999",
    "{\"version\":1e300}",
    "{\"version\":99999999999999999999999999}",
    "{\"version\":-9223372036854775808}",
    "null",
    "true",
    "17",
    "\"text\"",
    "[]",
    "[1,2,3]",
    "{}",
    "{\"unknown_field\":1}",
    "{\"rule_name\":5,\"reason\":5,\"version\":\"x\",\"email\":[],\"password\":{},\"name\":null,\"is_active\":\"yes\","
    "\"role\":1}",
    "{\"name\":\"\",\"scope\":\"*\"}",
    "{\"name\":\"x\",\"scope\":[1]}",
    "{\"name\":\"x\",\"expires_at\":\"tomorrow\"}",
    "{\"payload\":null,\"test_payload\":[[[]]],\"executed_by\":7}",
    std::string(70, '[') + std::string(70, ']'),
    std::string(100'000, '{'),
    std::string(200'000, 'a'),
};

} // namespace

CAF_TEST(no body whatever makes an error of ours) {
  full_fixture f;
  for (const auto& r : f.edge->routes().all()) {
    if (!takes_body(*r) || ends_session(*r)) continue;
    for (const auto& body : broken_bodies)
      for (auto type : {"application/json", "application/x-ndjson", "text/plain", ""}) {
        const auto answer = f.ask(r->method, path_of(*r), body, {{"content-type", type}});
        const bool good = answer.status() >= 200 && answer.status() < 500;
        CAF_CHECK(good);
        if (!good)
          CAF_MESSAGE(r->method << " " << r->path << " <- " << body.substr(0, 60) << ": " << answer.answer.body);
        if (answer.status() >= 400) CAF_CHECK(!answer.error().empty());
      }
  }
}

CAF_TEST(no parameter whatever makes an error of ours) {
  full_fixture f;
  const std::vector<std::string> nonsense{"",
                                          "x",
                                          "-1",
                                          "0",
                                          "1e9",
                                          "99999999999999999999",
                                          "%",
                                          "_",
                                          "'",
                                          "\"",
                                          "\\",
                                          "null",
                                          "true",
                                          std::string("a\0b", 3),
                                          "\xc3\xa9",
                                          "2026-11-20T08:30:00Z",
                                          std::string(5'000, 'a')};
  for (const auto& r : f.edge->routes().all()) {
    if (r->method != "GET" && r->method != "DELETE" && !r->path.starts_with("/permissions")) continue;
    if (r->answers.content_type == "text/event-stream") continue;
    for (const auto& p : r->parameters)
      for (const auto& value : nonsense) {
        auto path = path_of(*r);
        edge_fixture::headers headers;
        if (p.in == http::parameter::place::query)
          path += "?" + p.name + "=" + value;
        else if (p.in == http::parameter::place::header)
          headers.emplace_back(p.name, value);
        else if (!value.empty() && value.find('/') == std::string::npos) {
          path = r->path;
          path.replace(path.find("{" + p.name + "}"), p.name.size() + 2, value);
          for (auto open = path.find('{'); open != std::string::npos; open = path.find('{'))
            path.replace(open, path.find('}') - open + 1, "rule");
        }
        const auto answer = f.ask(r->method, path, std::string{}, headers);
        const bool good = answer.status() >= 200 && answer.status() < 500;
        CAF_CHECK(good);
        if (!good)
          CAF_MESSAGE(r->method << " " << r->path << " " << p.name << "=" << value << ": " << answer.answer.body);
      }
  }
}

CAF_TEST(random bytes in headers are answered) {
  full_fixture f;
  std::mt19937 random{20261120};
  for (int i = 0; i < 500; ++i) {
    const auto text = [&] {
      std::string out(random() % 60, ' ');
      for (auto& c : out) c = static_cast<char>(1 + random() % 255);
      return out;
    };
    const auto answer = f.get("/auth/me", {{"authorization", random() % 2 == 0 ? "Bearer " + text() : text()},
                                           {"x-api-key", text()},
                                           {"traceparent", text()},
                                           {"x-trace-id", text()},
                                           {"x-request-id", text()},
                                           {"x-request-timeout", random() % 2 == 0 ? "" : text()}});
    CAF_CHECK(answer.status() == 401 || answer.status() == 400);
    for (const auto& [name, value] : answer.answer.headers)
      CAF_CHECK(std::all_of(value.begin(), value.end(), [](unsigned char c) { return c >= 0x20 && c < 0x7f; }));
  }
}

CAF_TEST(without a token nothing is answered but what is open to anybody) {
  full_fixture f;
  f.token.clear();
  for (const auto& r : f.edge->routes().all()) {
    const auto answer = f.ask(r->method, path_of(*r), std::string("{}"));
    if (r->needs.is == http::access::kind::anybody)
      CAF_CHECK(answer.status() < 500);
    else
      CAF_CHECK_EQUAL(answer.status(), 401);
  }
}
