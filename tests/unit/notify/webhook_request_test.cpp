#define CAF_SUITE webhook_request

#include "actors/notify/webhook_request.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::notify;

namespace {

const std::string own_url = "http://127.0.0.1:8080";

entity::outgoing_effect effect_with(json body) {
  entity::outgoing_effect effect;
  effect.id = "decision-0";
  effect.type = "webhook";
  effect.body = std::move(body);
  effect.context = new_call(system_identity(tenant_id{"acme"})).child();
  return effect;
}

outbound::http_request request_of(json body) { return webhook_request(effect_with(std::move(body)), own_url).value(); }

std::string header(const outbound::http_request& request, std::string_view name) {
  std::string all;
  for (const auto& [n, value] : request.headers)
    if (n == name) all += '[' + value + ']';
  return all;
}

const json payload{{"rule", {{"id", "r1"}, {"version", 3}}}, {"trace_id", "abc"}};

} // namespace

CAF_TEST(the payload is posted as JSON with key and trace) {
  const auto effect = effect_with({{"endpoint", "https://example.com/hook"}, {"payload", payload}});
  const auto request = webhook_request(effect, own_url).value();
  CAF_CHECK_EQUAL(request.method, "POST");
  CAF_CHECK_EQUAL(request.url, "https://example.com/hook");
  CAF_CHECK(!request.trusted);
  CAF_CHECK_EQUAL(json::parse(request.body), payload);
  CAF_CHECK_EQUAL(header(request, "Content-Type"), "[application/json]");
  CAF_CHECK_EQUAL(header(request, "Idempotency-Key"), "[decision-0]");
  CAF_CHECK_EQUAL(header(request, "traceparent"), '[' + to_traceparent(effect.context) + ']');
}

CAF_TEST(a path means this node and only then is trusted) {
  CAF_CHECK_EQUAL(request_of({{"endpoint", "/cep/x"}}).url, own_url + "/cep/x");
  CAF_CHECK(request_of({{"endpoint", "//evil.example/x"}}).url == own_url + "//evil.example/x");
  CAF_CHECK(request_of({{"endpoint", "/cep/x"}}).trusted);
  CAF_CHECK(!request_of({{"endpoint", own_url + "/cep/x"}}).trusted);
  CAF_CHECK(webhook_request(effect_with({{"endpoint", "/cep/x"}}), "").error().code == error_code::unavailable);
}

CAF_TEST(parameters of a GET are percent - encoded and appended) {
  const auto request = request_of({{"endpoint", "https://example.com/a?x=1#part"},
                                   {"method", "get"},
                                   {"params", {{"q", "a b&c=d/ü"}, {"n", 5}, {"list", {1, "two"}}, {"none", nullptr}}},
                                   {"payload", payload}});
  CAF_CHECK_EQUAL(request.method, "GET");
  CAF_CHECK_EQUAL(request.url, "https://example.com/a?x=1&list=1&list=two&n=5&none=&q=a%20b%26c%3Dd%2F%C3%BC");
  CAF_CHECK_EQUAL(request.body, "");
  CAF_CHECK_EQUAL(header(request, "Content-Type"), "");
}

CAF_TEST(parameters of a POST become members of its object and replace none) {
  const auto request = request_of({{"endpoint", "https://example.com/"},
                                   {"params", {{"channel", "ops"}, {"trace_id", "mine"}}},
                                   {"payload", payload}});
  const auto sent = json::parse(request.body);
  CAF_CHECK_EQUAL(sent["channel"], "ops");
  CAF_CHECK_EQUAL(sent["trace_id"], "abc");
  CAF_CHECK_EQUAL(request.url, "https://example.com/");
}

CAF_TEST(a body given by the user is sent instead of the payload) {
  const auto object = request_of({{"endpoint", "https://e.com/"}, {"body", {{"text", "hi"}}}, {"payload", payload}});
  CAF_CHECK_EQUAL(object.body, R"({"text":"hi"})");
  const auto text =
      request_of({{"endpoint", "https://e.com/"}, {"body", "plain"}, {"params", {{"a", 1}}}, {"payload", payload}});
  CAF_CHECK_EQUAL(text.body, "plain");
  CAF_CHECK_EQUAL(text.url, "https://e.com/?a=1");
  CAF_CHECK_EQUAL(header(text, "Content-Type"), "[text/plain; charset=utf-8]");
  const auto list =
      request_of({{"endpoint", "https://e.com/"}, {"method", "DELETE"}, {"body", {1, 2}}, {"payload", payload}});
  CAF_CHECK_EQUAL(list.body, "[1,2]");
  CAF_CHECK_EQUAL(list.method, "DELETE");
}

CAF_TEST(headers of the user pass except those that are ours) {
  const auto request = request_of({{"endpoint", "https://e.com/"},
                                   {"headers",
                                    {{"Authorization", "Bearer x"},
                                     {"content-type", "application/vnd.x+json"},
                                     {"idempotency-key", "fake"},
                                     {"Traceparent", "fake"},
                                     {"X-Number", 7}}},
                                   {"payload", payload}});
  CAF_CHECK_EQUAL(header(request, "Authorization"), "[Bearer x]");
  CAF_CHECK_EQUAL(header(request, "content-type") + header(request, "Content-Type"), "[application/vnd.x+json]");
  CAF_CHECK_EQUAL(header(request, "Idempotency-Key") + header(request, "idempotency-key"), "[decision-0]");
  CAF_CHECK_EQUAL(header(request, "Traceparent"), "");
  CAF_CHECK_EQUAL(header(request, "X-Number"), "[7]");
}

CAF_TEST(a webhook without anything to send is a GET) {
  const auto request = request_of({{"endpoint", "https://e.com/"}});
  CAF_CHECK_EQUAL(request.method, "GET");
}

CAF_TEST(a body of another form is a validation error) {
  for (const json& body :
       {json(), json("text"), json{{"endpoint", 5}}, json{{"endpoint", "https://e"}, {"params", "x"}},
        json{{"endpoint", "https://e"}, {"headers", {1, 2}}}, json{{"endpoint", "https://e"}, {"method", 1}}}) {
    const auto made = webhook_request(effect_with(body), own_url);
    CAF_CHECK(!made && made.error().code == error_code::validation_error);
  }
}
