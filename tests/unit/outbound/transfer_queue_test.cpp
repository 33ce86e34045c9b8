#define CAF_SUITE transfer_queue

#include "runtime/outbound/http_transfer.hpp"
#include "runtime/outbound/transfer_queue.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::outbound;

namespace {

const address_guard guard = address_guard::make({}).value();

void add(transfer_queue& queue, const std::string& host, std::chrono::milliseconds timeout = std::chrono::seconds{5}) {
  http_request request;
  request.url = "http://" + host + "/";
  request.timeout = timeout;
  queue.add({http_transfer::make(request, guard).value(), [](result<http_response>) {}});
}

std::string next_host(transfer_queue& queue) {
  const auto next = queue.next();
  return next ? next->what->authority() : "none";
}

} // namespace

CAF_TEST(hosts take turns) {
  transfer_queue queue(100, 10);
  add(queue, "a"), add(queue, "a"), add(queue, "a"), add(queue, "b");
  CAF_CHECK_EQUAL(next_host(queue), "a:80");
  CAF_CHECK_EQUAL(next_host(queue), "b:80");
  CAF_CHECK_EQUAL(next_host(queue), "a:80");
  CAF_CHECK_EQUAL(next_host(queue), "a:80");
  CAF_CHECK_EQUAL(next_host(queue), "none");
}

CAF_TEST(a host that has all its connections does not hold up others) {
  transfer_queue queue(100, 1);
  add(queue, "a"), add(queue, "a"), add(queue, "b");
  CAF_CHECK_EQUAL(next_host(queue), "a:80");
  CAF_CHECK_EQUAL(next_host(queue), "b:80");
  CAF_CHECK_EQUAL(next_host(queue), "none");
  queue.finished("a:80");
  CAF_CHECK_EQUAL(next_host(queue), "a:80");
}

CAF_TEST(the total is limited too) {
  transfer_queue queue(2, 10);
  add(queue, "a"), add(queue, "b"), add(queue, "c");
  next_host(queue), next_host(queue);
  CAF_CHECK_EQUAL(next_host(queue), "none");
  queue.finished("b:80");
  CAF_CHECK_EQUAL(next_host(queue), "c:80");
}

CAF_TEST(what waits too long is handed back and its host forgotten) {
  transfer_queue queue(1, 1);
  add(queue, "a");
  next_host(queue);
  add(queue, "b", std::chrono::milliseconds{50}), add(queue, "b", std::chrono::seconds{60});
  CAF_CHECK(queue.next_deadline() < steady_now() + std::chrono::seconds{1});
  const auto gone = queue.expire(queue.next_deadline());
  CAF_REQUIRE_EQUAL(gone.size(), 1u);
  CAF_CHECK(gone[0].what->expired().code == error_code::deadline_exceeded);
  queue.finished("a:80");
  CAF_CHECK_EQUAL(next_host(queue), "b:80");
  CAF_CHECK(queue.next_deadline() == steady_time::max());
  add(queue, "c"), add(queue, "d");
  CAF_CHECK_EQUAL(queue.clear().size(), 2u);
  queue.finished("b:80");
  CAF_CHECK_EQUAL(next_host(queue), "none");
}
