#define CAF_SUITE dispatch

#include "tests/actor/http/edge_fixture.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace std::chrono_literals;
using testing::edge_fixture;

CAF_TEST(unknown paths and methods are refused in the envelope) {
  edge_fixture f;
  f.start();
  const auto lost = f.get("/nowhere");
  CAF_CHECK_EQUAL(lost.status(), 404);
  CAF_CHECK_EQUAL(lost.error(), "NOT_FOUND");
  CAF_CHECK_EQUAL(lost.at("/code"), 6);
  CAF_CHECK(!lost.at("/message").get<std::string>().empty());
  const auto wrong = f.ask("POST", "/hello");
  CAF_CHECK_EQUAL(wrong.status(), 405);
  CAF_CHECK_EQUAL(wrong.header("Allow"), "GET, HEAD, OPTIONS");
  CAF_CHECK_EQUAL(f.ask("HEAD", "/hello").status(), 200);
  CAF_CHECK_EQUAL(f.ask("OPTIONS", "/auth/login").header("Allow"), "OPTIONS, POST");
  CAF_CHECK_EQUAL(f.ask("OPTIONS", "/nowhere").status(), 404);
}

CAF_TEST(trace headers come in and go out) {
  edge_fixture f;
  f.start();
  const auto w3c = f.get("/hello", {{"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
                                    {"tracestate", "vendor=1"},
                                    {"x-request-id", "req-1"},
                                    {"x-parent-trace-id", "0af7651916cd43dd8448eb211c80319c"}});
  CAF_CHECK_EQUAL(w3c.header("X-Trace-ID"), "4bf92f35-77b3-4da6-a3ce-929d0e0e4736");
  CAF_CHECK_EQUAL(w3c.header("X-Request-ID"), "req-1");
  CAF_CHECK_EQUAL(w3c.header("X-Parent-Trace-ID"), "0af76519-16cd-43dd-8448-eb211c80319c");
  CAF_CHECK_EQUAL(w3c.header("tracestate"), "vendor=1");
  CAF_CHECK(w3c.header("traceparent").starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
  CAF_CHECK(w3c.header("traceparent").find("00f067aa0ba902b7") == std::string::npos);
  const auto own = f.get("/hello", {{"x-trace-id", "4bf92f3577b34da6a3ce929d0e0e4736"}, {"x-request-id", "bad\"id"}});
  CAF_CHECK_EQUAL(own.header("X-Trace-ID"), "4bf92f35-77b3-4da6-a3ce-929d0e0e4736");
  CAF_CHECK_EQUAL(own.header("X-Request-ID").size(), 36u);
  CAF_CHECK(own.header("X-Parent-Trace-ID").empty());
  const auto failed = f.get("/nowhere");
  CAF_CHECK_EQUAL(failed.at("/data/trace_id"), failed.header("X-Trace-ID"));
}

CAF_TEST(bodies are refused with the pointer of the field) {
  edge_fixture f;
  f.start();
  const auto refused = [&](const std::string& body, const std::string& name, const std::string& pointer) {
    const auto answer = f.ask("POST", "/auth/login", body);
    CAF_CHECK_EQUAL(answer.error(), name);
    CAF_CHECK_EQUAL(answer.pointer(), pointer);
  };
  refused("", "MALFORMED_JSON", "");
  refused("{", "MALFORMED_JSON", "");
  refused("\"\xff\"", "MALFORMED_JSON", "");
  refused(std::string(100'000, '['), "MALFORMED_JSON", "");
  refused("[]", "VALIDATION_ERROR", "");
  refused(R"({"email":"a","password":1})", "VALIDATION_ERROR", "/password");
  refused(R"({"email":"a","password":null})", "VALIDATION_ERROR", "/password");
  refused(R"({"email":"a"})", "VALIDATION_ERROR", "/password");
  refused(R"({"email":"a","password":"b","a/b":1})", "VALIDATION_ERROR", "/a~1b");
  CAF_CHECK_EQUAL(
      f.ask("POST", "/auth/login", std::string("email=a"), {{"content-type", "application/x-www-form-urlencoded"}})
          .status(),
      415);
}

CAF_TEST(security headers are on every answer and cors only for known origins) {
  edge_fixture f;
  f.options.cors_origins = {"https://ops.example"};
  f.start();
  for (auto path : {"/hello", "/nowhere", "/docs"}) {
    const auto answer = f.get(path, {{"origin", "https://evil.example"}});
    CAF_CHECK_EQUAL(answer.header("X-Content-Type-Options"), "nosniff");
    CAF_CHECK(!answer.header("Content-Security-Policy").empty());
    CAF_CHECK(answer.header("Access-Control-Allow-Origin").empty());
    CAF_CHECK(answer.header("Strict-Transport-Security").empty());
  }
  const auto preflight = f.ask("OPTIONS", "/auth/login", std::string{},
                               {{"origin", "https://ops.example"}, {"access-control-request-method", "POST"}});
  CAF_CHECK_EQUAL(preflight.status(), 204);
  CAF_CHECK_EQUAL(preflight.header("Access-Control-Allow-Origin"), "https://ops.example");
  CAF_CHECK_EQUAL(preflight.header("Access-Control-Max-Age"), "3600");
}

CAF_TEST(rate limits say when to come back and spare health checks) {
  edge_fixture f;
  f.options.rate_per_address = 2;
  f.options.rate_burst = 1s;
  f.start();
  CAF_CHECK_EQUAL(f.get("/docs").status(), 200);
  CAF_CHECK_EQUAL(f.get("/docs").status(), 200);
  const auto limited = f.get("/docs");
  CAF_CHECK_EQUAL(limited.status(), 429);
  CAF_CHECK_EQUAL(limited.error(), "RATE_LIMIT_EXCEEDED");
  CAF_CHECK_EQUAL(limited.header("Retry-After"), "1");
  CAF_CHECK_EQUAL(f.get("/healthz").status(), 200);
  f.time.advance(600ms);
  CAF_CHECK_EQUAL(f.get("/docs").status(), 200);
}

CAF_TEST(the health pages tell whether everything works) {
  edge_fixture f;
  f.start();
  CAF_CHECK_EQUAL(f.get("/healthz").at("/data/status"), "up");
  CAF_CHECK_EQUAL(f.get("/health/ready").status(), 200);
  CAF_CHECK_EQUAL(f.get("/health").at("/data/status"), "up");
  CAF_CHECK(f.get("/metrics").answer.body.find("tobit_http_requests_total") != std::string::npos);
  f.edge->set_phase("starting");
  const auto starting = f.get("/health/ready");
  CAF_CHECK_EQUAL(starting.status(), 503);
  CAF_CHECK_EQUAL(starting.error(), "UNAVAILABLE");
}

CAF_TEST(a dependency that hangs makes the node unready and keeps nobody waiting) {
  edge_fixture f;
  std::vector<std::function<void(result<void>)>> hanging;
  f.deps.checks.emplace_back("moon", [&](auto done) { hanging.push_back(std::move(done)); });
  f.start();
  auto answer = f.send("GET", "/health/ready");
  CAF_CHECK(answer.wait_for(0s) != std::future_status::ready);
  f.time.advance(2s);
  f.edge->tick();
  const auto seen = answer.get();
  CAF_CHECK_EQUAL(seen.status(), 503);
  CAF_CHECK(seen.at("/message").get<std::string>().find("moon") != std::string::npos);
  CAF_CHECK_EQUAL(hanging.size(), 1u);
  for (auto& done : hanging) done({});
  CAF_CHECK_EQUAL(f.get("/health/ready").status(), 200);
}
