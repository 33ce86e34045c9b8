#define CAF_SUITE link_failures

#include "child_node.hpp"
#include "link_fixture.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::testing;

namespace {

constexpr int heartbeat_ms = 100;

cluster::link_options patient() {
  auto options = quick_links();
  options.heartbeat = std::chrono::milliseconds(heartbeat_ms);
  return options;
}

double since(std::chrono::steady_clock::time_point t) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - t).count();
}

/// Attempts that failed are told as unlinked, too: what counts is one more than there were.
bool broken(link_node& node, incarnation_no peer, std::size_t before, std::chrono::milliseconds limit) {
  return node.diary.wait_for("unlinked", peer, before + 1, limit);
}

bool link(link_node& node, child_node& child, incarnation_no incarnation) {
  node.links->connect(incarnation, "child", child.address());
  child.tell("connect " + std::to_string(node.now) + " " + node.name + " " + node.links->address());
  return node.diary.wait_for("linked", incarnation);
}

} // namespace

CAF_TEST(a killed process is noticed within milliseconds) {
  link_node a("a", patient());
  a.live_as(1'000);
  for (incarnation_no i = 1; i <= 10; ++i) {
    child_node child("child", i % 2 == 0 ? i : i + 2'000, heartbeat_ms); // it waits for us, or dials us
    const auto id = i % 2 == 0 ? i : i + 2'000;
    CAF_REQUIRE(link(a, child, id));
    const auto before = a.diary.count("unlinked", id);
    const auto begun = std::chrono::steady_clock::now();
    child.signal(SIGKILL);
    CAF_CHECK(broken(a, id, before, 300ms)); // before any heartbeat could have told
    const auto took = since(begun);
    CAF_MESSAGE("noticed after " << took << " ms");
    a.links->disconnect(id);
  }
}

CAF_TEST(two peers killed at the same time are both noticed and a third one keeps its link) {
  link_node a("a", patient()), b("b", patient());
  a.live_as(1'000);
  b.live_as(1'001);
  CAF_REQUIRE(join(a, b));
  auto one = std::make_unique<child_node>("child", 1, heartbeat_ms);
  auto two = std::make_unique<child_node>("other", 2'000, heartbeat_ms);
  CAF_REQUIRE(link(a, *one, 1));
  a.links->connect(2'000, "other", two->address());
  two->tell("connect 1000 a " + a.links->address());
  CAF_REQUIRE(a.diary.wait_for("linked", 2'000));
  const auto first = a.diary.count("unlinked", 1), second = a.diary.count("unlinked", 2'000);
  const auto third = a.diary.count("unlinked", 1'001);
  one->signal(SIGKILL);
  two->signal(SIGKILL);
  CAF_CHECK(broken(a, 1, first, 300ms));
  CAF_CHECK(broken(a, 2'000, second, 300ms));
  CAF_CHECK(a.links->send(1'001, "still here"));
  CAF_CHECK(b.diary.wait_for("received", 1'000));
  CAF_CHECK_EQUAL(a.diary.count("unlinked", 1'001), third);
}

CAF_TEST(a frozen process is found by its missing heartbeats and linked again when it goes on) {
  link_node a("a", patient());
  a.live_as(1'000);
  for (const incarnation_no id : {1, 2'000}) {
    child_node child("child", id, heartbeat_ms);
    CAF_REQUIRE(link(a, child, id));
    const auto before = a.diary.count("unlinked", id), linked = a.diary.count("linked", id);
    const auto begun = std::chrono::steady_clock::now();
    child.signal(SIGSTOP);
    CAF_CHECK(broken(a, id, before, 4s));
    const auto took = since(begun);
    CAF_MESSAGE("found after " << took << " ms, heartbeat " << heartbeat_ms << " ms");
    CAF_CHECK(took >= 3 * heartbeat_ms);
    child.signal(SIGCONT);
    CAF_CHECK(a.diary.wait_for("linked", id, linked + 1));
    a.links->disconnect(id);
  }
}

CAF_TEST(a frozen reader holds up nothing but itself and not more than the bound) {
  auto options = patient();
  options.queue_max = 4u << 20;
  link_node a("a", options), b("b", options);
  a.live_as(1'000);
  b.live_as(1'001);
  CAF_REQUIRE(join(a, b));
  child_node child("child", 1, heartbeat_ms);
  CAF_REQUIRE(link(a, child, 1));
  const auto before = a.diary.count("unlinked", 1);
  child.signal(SIGSTOP);
  std::size_t sent = 0;
  while (a.links->send(1, std::string(100'000, 'x'))) sent += 100'000;
  CAF_CHECK(sent <= options.queue_max + (128u << 10));
  CAF_CHECK(a.links->send(1'001, "meanwhile"));
  CAF_CHECK(b.diary.wait_for("received", 1'000, 1, 1s));
  CAF_CHECK(broken(a, 1, before, 4s));
}

CAF_TEST(a node that restarts is linked under its new incarnation) {
  link_node a("a", patient());
  a.live_as(1'000);
  for (incarnation_no id = 2'000; id < 2'020; ++id) {
    child_node child("child", id, heartbeat_ms);
    CAF_REQUIRE(link(a, child, id)); // while the last one is only just dead
    CAF_CHECK(a.links->send(id, "hello"));
    const auto before = a.diary.count("unlinked", id);
    child.signal(SIGKILL);
    if (id % 2 == 0) CAF_CHECK(broken(a, id, before, 300ms));
    if (id % 3 == 0) a.links->disconnect(id); // else it stays wanted, in vain
  }
}

CAF_TEST(quiet links stay up) {
  auto options = patient();
  options.heartbeat = 200ms;
  link_node a("a", options), b("b", options);
  a.live_as(1);
  b.live_as(2);
  CAF_REQUIRE(join(a, b));
  const auto unlinked = a.diary.count("unlinked", 2); // a handshake that CAF's heartbeat killed
  CAF_CHECK(!a.diary.wait_for("unlinked", 2, unlinked + 1, 2s));
  CAF_CHECK(a.links->send(2, "x"));
}
