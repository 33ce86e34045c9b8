#define CAF_SUITE peer_links

#include "link_fixture.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::testing;

namespace {

bool exchange(link_node& a, link_node& b) {
  const bool sent = a.links->send(b.now, "ping") && b.links->send(a.now, "pong");
  return sent && a.diary.wait_for("received", b.now) && b.diary.wait_for("received", a.now);
}

} // namespace

CAF_TEST(two nodes link without TLS on loopback and exchange frames) {
  link_node a("a"), b("b");
  a.live_as(1);
  b.live_as(2);
  CAF_CHECK(join(a, b));
  CAF_CHECK(exchange(a, b));
}

CAF_TEST(two nodes link with TLS and exchange frames) {
  certificate_folder folder("c-1");
  auto options = quick_links();
  options.plain = false;
  auto for_a = options, for_b = options;
  folder.use(for_a, "a");
  folder.use(for_b, "b");
  link_node a("a", for_a), b("b", for_b);
  CAF_CHECK_EQUAL(a.failure, "");
  a.live_as(1);
  b.live_as(2);
  CAF_CHECK(join(a, b));
  CAF_CHECK(exchange(a, b));
}
