#define CAF_SUITE call_context

#include "schemas/call_context.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;

CAF_TEST(a child stays in the trace and points at its parent) {
  const auto parent = new_call(system_identity(tenant_id{"acme"}));
  const auto child = parent.child();
  CAF_CHECK(child.trace == parent.trace);
  CAF_CHECK(child.parent == parent.span);
  CAF_CHECK(child.span != parent.span);
  CAF_CHECK_EQUAL(child.tenant().value, "acme");
}

CAF_TEST(traceparent follows the W3C rules) {
  const auto text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const auto parsed = parse_traceparent(text);
  CAF_REQUIRE(parsed.has_value());
  CAF_CHECK_EQUAL(to_string(parsed->span), "00f067aa0ba902b7");
  CAF_CHECK_EQUAL(parsed->flags, 1);
  for (auto bad : {"", "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                   "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                   "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                   "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x"})
    CAF_CHECK(!parse_traceparent(bad));
  CAF_CHECK(parse_traceparent("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later").has_value());
}

CAF_TEST(a stored context keeps everything but the deadline) {
  auto who =
      std::make_shared<const identity>(identity{tenant_id{"acme"}, principal_id{"u1"}, role::developer, "req-1"});
  const auto before = new_call(who, steady_time{std::chrono::seconds{5}}).child();
  const auto after = decode_context(encode_context(before));
  CAF_CHECK(after.trace == before.trace && after.span == before.span && after.parent == before.parent);
  CAF_CHECK_EQUAL(after.who->principal.value, "u1");
  CAF_CHECK(after.who->rank == role::developer);
  CAF_CHECK(after.deadline == steady_time::max());
  CAF_CHECK(decode_context("nonsense").who != nullptr);
}
