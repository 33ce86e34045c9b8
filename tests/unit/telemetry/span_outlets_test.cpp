#define CAF_SUITE span_outlets

#include "runtime/telemetry/span_outlets.hpp"
#include "tests/support/scratch_database.hpp"

#include <caf/test/unit_test.hpp>

#include <future>
#include <optional>

using namespace tobit;
using namespace tobit::telemetry;
using namespace std::chrono_literals;

namespace {

std::vector<span_record> two_spans() {
  span_record first;
  first.trace = parse_trace_id("4bf92f3577b34da6a3ce929d0e0e4736").value();
  first.span = span_id{0xb7};
  first.tenant = tenant_id{"acme"};
  first.name = "http GET /x";
  first.started_at = from_micros(1'800'000'000'000'001);
  first.duration = 42us;
  auto second = first;
  second.span = span_id{0xb8};
  second.parent = first.span;
  second.name = "outbox webhook";
  second.failed = true;
  second.attributes = {{"error", "bad \xff byte"}};
  return {first, second};
}

class fake_client final : public outbound::http_client {
public:
  void send(outbound::http_request request, std::function<void(result<outbound::http_response>)> done) override {
    requests.push_back(std::move(request));
    done(next);
  }
  std::vector<outbound::http_request> requests;
  result<outbound::http_response> next = outbound::http_response{};
};

struct said {
  span_outlet::verdict verdict;
  std::chrono::milliseconds pause;
};

said send_with(fake_client& out, result<outbound::http_response> answer) {
  out.next = std::move(answer);
  const manual_clock time;
  auto outlet = make_otlp_outlet(out, "http://collector:4318/v1/traces", {}, time);
  std::optional<said> got;
  const auto batch = two_spans();
  outlet->send(batch, [&](span_outlet::verdict verdict, std::chrono::milliseconds pause) {
    got = said{verdict, pause};
  });
  return got.value();
}

outbound::http_response status(int code, std::string retry_after = {}) {
  outbound::http_response response;
  response.status = code;
  if (!retry_after.empty()) response.headers = {{"retry-after", retry_after}};
  return response;
}

} // namespace

CAF_TEST(an export request is what the protocol says) {
  const auto body = to_otlp(two_spans(), {"tobit", "0.1.0", node_id{"n1"}});
  const auto& resource = body["resourceSpans"][0];
  CAF_CHECK_EQUAL(resource["resource"]["attributes"][0].dump(),
                  R"({"key":"service.name","value":{"stringValue":"tobit"}})");
  const auto& spans = resource["scopeSpans"][0]["spans"];
  CAF_REQUIRE_EQUAL(spans.size(), 2u);
  CAF_CHECK_EQUAL(spans[0]["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
  CAF_CHECK_EQUAL(spans[0]["spanId"], "00000000000000b7");
  CAF_CHECK(!spans[0].contains("parentSpanId"));
  CAF_CHECK_EQUAL(spans[0]["kind"], 2);
  CAF_CHECK_EQUAL(spans[0]["startTimeUnixNano"], "1800000000000001000");
  CAF_CHECK_EQUAL(spans[0]["endTimeUnixNano"], "1800000000000043000");
  CAF_CHECK_EQUAL(spans[1]["parentSpanId"], "00000000000000b7");
  CAF_CHECK_EQUAL(spans[1]["status"]["code"], 2);
  CAF_CHECK_EQUAL(spans[1]["kind"], 3);
}

CAF_TEST(a collector gets the batch as JSON and its answer decides) {
  using enum span_outlet::verdict;
  fake_client out;
  CAF_CHECK(send_with(out, status(200)).verdict == taken);
  CAF_CHECK_EQUAL(out.requests[0].method, "POST");
  CAF_CHECK(out.requests[0].trusted);
  CAF_CHECK(parse_json(out.requests[0].body).has_value());
  CAF_CHECK(send_with(out, status(400)).verdict == lost);
  CAF_CHECK(send_with(out, status(503)).verdict == again);
  CAF_CHECK(send_with(out, status(503)).pause == 5s);
  CAF_CHECK(send_with(out, status(429, "7")).pause == 7s);
  CAF_CHECK(send_with(out, status(429, "86400")).pause == 60s);
  CAF_CHECK(send_with(out, fail(error_code::connection_error)).verdict == again);
}

CAF_TEST(a batch becomes rows and a repeated one changes nothing) {
  testing::scratch_database store;
  auto outlet = make_storage_outlet(*store, node_id{"n1"});
  const auto batch = two_spans();
  for (int i = 0; i < 2; ++i) {
    std::promise<span_outlet::verdict> verdict;
    outlet->send(batch, [&](span_outlet::verdict v, std::chrono::milliseconds) { verdict.set_value(v); });
    CAF_CHECK(verdict.get_future().get() == span_outlet::verdict::taken);
  }
  const auto rows = store->read_and_wait(
      {"SELECT span_id, parent_span_id, node, started_at, duration_us, status, attributes FROM span ORDER BY span_id",
       {},
       {}});
  CAF_REQUIRE(rows.has_value());
  CAF_REQUIRE_EQUAL(rows->size(), 2u);
  CAF_CHECK_EQUAL(storage::as_text((*rows)[0][1]), "");
  CAF_CHECK_EQUAL(storage::as_text((*rows)[1][1]), "00000000000000b7");
  CAF_CHECK_EQUAL(storage::as_text((*rows)[1][2]), "n1");
  CAF_CHECK_EQUAL(storage::as_int((*rows)[1][3]), 1'800'000'000'000'001);
  CAF_CHECK_EQUAL(storage::as_int((*rows)[1][4]), 42);
  CAF_CHECK_EQUAL(storage::as_text((*rows)[1][5]), "error");
  CAF_CHECK(storage::as_text((*rows)[1][6]).find("error") != std::string::npos);
}
