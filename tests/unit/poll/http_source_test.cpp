#define CAF_SUITE http_source

#include "actors/poll/http_source.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::poll;

namespace {

entity::poll_interest get(std::string endpoint) {
  entity::poll_interest what;
  what.endpoint = std::move(endpoint);
  return what;
}

outbound::http_response answer(int status, std::string type, std::string body) {
  outbound::http_response r;
  r.status = status;
  r.headers = {{"content-type", std::move(type)}};
  r.body = std::move(body);
  return r;
}

std::string failure(const outbound::http_response& r) {
  const auto document = read_answer(r);
  return document ? "accepted" : document.error().message;
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// Answers every request with what the test says.
class scripted_client final : public outbound::http_client {
public:
  void send(outbound::http_request request, std::function<void(result<outbound::http_response>)> done) override {
    sent.push_back(std::move(request));
    done(next);
  }
  std::vector<outbound::http_request> sent;
  result<outbound::http_response> next = answer(200, "application/json", "{\"value\": 7}");
};

} // namespace

CAF_TEST(a GET carries its parameters in the query) {
  auto what = get("http://metrics.example/q?a=1#part");
  what.params = json{{"name", "a b&c"}, {"n", 5}, {"on", true}};
  what.headers = json{{"X-Key", "secret"}};
  const auto request = poll_request(what, "").value();
  CAF_CHECK_EQUAL(request.url, "http://metrics.example/q?a=1&n=5&name=a%20b%26c&on=true");
  CAF_CHECK_EQUAL(request.method, "GET");
  CAF_CHECK(request.body.empty());
  CAF_CHECK_EQUAL(request.headers.back().second, "secret");
  CAF_CHECK(request.timeout == std::chrono::milliseconds{5'000});
}

CAF_TEST(a POST carries its parameters as JSON) {
  auto what = get("http://metrics.example/q");
  what.method = "POST";
  what.params = json{{"query", "up"}};
  const auto request = poll_request(what, "").value();
  CAF_CHECK_EQUAL(request.body, "{\"query\":\"up\"}");
  CAF_CHECK_EQUAL(request.url, "http://metrics.example/q");
  what.method = "DELETE";
  CAF_CHECK(!poll_request(what, "").has_value());
}

CAF_TEST(an answer that is no metric is shown) {
  CAF_CHECK_EQUAL(failure(answer(200, "application/json", "{\"value\": 7}")), "accepted");
  CAF_CHECK_EQUAL(failure(answer(200, "text/plain", "7")), "accepted");
  const auto html = failure(answer(200, "text/html; charset=utf-8", "<!DOCTYPE html>\n<html>\n\t<body>Hello</body>"));
  CAF_CHECK(contains(html, "text/html"));
  CAF_CHECK(contains(html, "<!DOCTYPE html> <html> <body>"));
  const auto broken = failure(answer(500, "application/json", "{\"error\": \"boom\"}"));
  CAF_CHECK(contains(broken, "status 500"));
  CAF_CHECK(contains(broken, "boom"));
  CAF_CHECK(contains(failure(answer(204, "", "")), "no body"));
  CAF_CHECK(contains(failure(answer(302, "", "")), "status 302"));
  CAF_CHECK(failure(answer(200, std::string(5'000, 't'), std::string(1'000'000, '<'))).size() < 600);
  CAF_CHECK(!contains(failure(answer(200, "text/html", std::string("\x01\x02<\x1b[31m"))), "\x1b"));
}

CAF_TEST(a path means this node and goes to it alone) {
  scripted_client outside, own;
  const auto source = make_http_source({outside, &own, [] { return std::string("http://127.0.0.1:8080"); }});
  int answers = 0;
  const auto count = [&](result<metric_document> document) { answers += document.has_value(); };
  source->read(get("/health/ready"), count);
  source->read(get("http://metrics.example/"), count);
  CAF_CHECK_EQUAL(answers, 2);
  CAF_REQUIRE_EQUAL(own.sent.size(), 1u);
  CAF_CHECK_EQUAL(own.sent[0].url, "http://127.0.0.1:8080/health/ready");
  CAF_CHECK(own.sent[0].trusted);
  CAF_REQUIRE_EQUAL(outside.sent.size(), 1u);
  CAF_CHECK(!outside.sent[0].trusted);
  const auto no_own = make_http_source({outside, nullptr, {}});
  bool refused = false;
  no_own->read(get("/health"), [&](result<metric_document> document) { refused = !document; });
  CAF_CHECK(refused);
}

CAF_TEST(the error of a failing client is passed on) {
  scripted_client outside;
  outside.next = fail(error_code::deadline_exceeded, "It took longer than 3 s.");
  const auto source = make_http_source({outside, nullptr, {}});
  error seen;
  source->read(get("http://hangs.example/"), [&](result<metric_document> document) { seen = document.error(); });
  CAF_CHECK(seen.code == error_code::deadline_exceeded);
}

CAF_TEST(a query goes to the query API of the server with a time limit) {
  auto what = get("http://prometheus.example:9090/");
  what.source = "prometheus";
  what.query = "sum(up{job=\"a\"})";
  what.params = json{{"dedup", true}};
  auto request = poll_request(what, "").value();
  CAF_CHECK(contains(request.url, "http://prometheus.example:9090/api/v1/query?"));
  CAF_CHECK(contains(request.url, "query=sum%28up%7Bjob%3D%22a%22%7D%29"));
  CAF_CHECK(contains(request.url, "timeout=5000ms"));
  CAF_CHECK(contains(request.url, "dedup=true"));
  what.method = "POST";
  request = poll_request(what, "").value();
  CAF_CHECK_EQUAL(request.url, "http://prometheus.example:9090/api/v1/query");
  CAF_CHECK(contains(request.body, "query=sum%28up"));
  CAF_CHECK(request.body.front() != '?');
}

CAF_TEST(the answer of a query and a page of metrics become readings) {
  auto what = get("http://prometheus.example:9090");
  what.source = "prometheus";
  what.reduce = "one";
  const auto good = read_answer(
      what,
      answer(200, "application/json",
             R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"0.5"]}]}})"));
  CAF_REQUIRE(good.has_value());
  CAF_CHECK_EQUAL((**good)["value"], 0.5);
  const auto refused =
      read_answer(what, answer(422, "application/json",
                               R"({"status":"error","errorType":"execution","error":"too many samples"})"));
  CAF_CHECK(contains(refused.error().message, "too many samples"));
  CAF_CHECK(contains(read_answer(what, answer(502, "text/html", "<html>")).error().message, "status 502"));
  what = get("http://node.example:9100/metrics");
  what.selector = "load1";
  what.reduce = "one";
  CAF_CHECK_EQUAL((**read_answer(what, answer(200, "text/plain", "load1 0.25\n")))["value"], 0.25);
  CAF_CHECK(contains(read_answer(what, answer(404, "text/plain", "no")).error().message, "status 404"));
  CAF_CHECK(contains(read_answer(what, answer(200, "text/html", "<html>")).error().message, "Line 1"));
}

CAF_TEST(for a probe every outcome is a reading) {
  using namespace std::chrono_literals;
  const auto up = probe_document(answer(204, "text/plain", ""), 12'500us);
  CAF_CHECK_EQUAL((*up)["up"], 1);
  CAF_CHECK_EQUAL((*up)["latency_ms"], 12.5);
  CAF_CHECK((*up)["error"].is_null());
  const auto broken = probe_document(answer(503, "text/plain", "down"), 1ms);
  CAF_CHECK_EQUAL((*broken)["up"], 0);
  CAF_CHECK_EQUAL((*broken)["status"], 503);
  const auto gone = probe_document(tl::unexpected(error{error_code::connection_error, "refused"}), 1ms);
  CAF_CHECK_EQUAL((*gone)["status"], 0);
  CAF_CHECK_EQUAL((*gone)["error"], "refused");
}
