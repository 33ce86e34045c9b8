#define CAF_SUITE peer_links

#include "link_fixture.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <thread>

using namespace tobit;
using namespace tobit::testing;

namespace {

bool exchange(link_node& a, link_node& b) {
  const bool sent = a.links->send(b.now, "ping") && b.links->send(a.now, "pong");
  return sent && a.diary.wait_for("received", b.now) && b.diary.wait_for("received", a.now);
}

bool send_when_possible(link_node& from, const link_node& to, const std::string& frame) {
  const auto until = std::chrono::steady_clock::now() + 20s;
  while (!from.links->send(to.now, frame)) {
    if (std::chrono::steady_clock::now() > until || from.diary.count("unlinked", to.now) > 0) return false;
    std::this_thread::yield(); // the bound is what is waited for, and it tells nobody
  }
  return true;
}

/// The link may have broken and come again since; what counts is that a frame gets through in time.
bool frame_passes(link_node& from, link_node& to, const std::string& frame) {
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (std::chrono::steady_clock::now() < until) {
    from.links->send(to.now, frame);
    const auto arrived = [&](const auto& lines) {
      return std::any_of(lines.rbegin(), lines.rend(), [&](const auto& l) { return l.text == frame; });
    };
    if (to.diary.wait(arrived, 5ms)) return true;
  }
  return false;
}

struct pair_of_nodes {
  explicit pair_of_nodes(bool plain, cluster::link_options options = quick_links()) : folder("c-1") {
    options.plain = plain;
    auto for_a = options, for_b = options;
    folder.use(for_a, "a");
    folder.use(for_b, "b");
    a = std::make_unique<link_node>("a", for_a);
    b = std::make_unique<link_node>("b", for_b);
    a->live_as(1);
    b->live_as(2);
  }
  certificate_folder folder;
  std::unique_ptr<link_node> a, b;
};

} // namespace

CAF_TEST(two nodes link and exchange frames) {
  for (const bool plain : {true, false}) {
    pair_of_nodes n(plain);
    CAF_REQUIRE(join(*n.a, *n.b));
    CAF_CHECK(exchange(*n.a, *n.b));
    const auto status = n.a->links->status();
    CAF_REQUIRE_EQUAL(status.size(), 1u);
    CAF_CHECK(status[0].linked);
    CAF_CHECK_EQUAL(status[0].node, "b");
    CAF_CHECK_EQUAL(status[0].frames_sent, 1u);
    CAF_CHECK_EQUAL(status[0].frames_received, 1u);
  }
}

CAF_TEST(frames arrive in the order of sending) {
  constexpr int count = 100'000;
  for (const bool plain : {true, false}) {
    pair_of_nodes n(plain);
    CAF_REQUIRE(join(*n.a, *n.b));
    bool sent = true;
    for (int i = 0; i < count; ++i) sent = sent && send_when_possible(*n.a, *n.b, std::to_string(i));
    CAF_CHECK(sent);
    CAF_CHECK(n.b->diary.wait_for("received", 1, count, 60s));
    int next = 0, wrong = 0;
    for (const auto& l : n.b->diary.lines())
      if (l.what == "received") wrong += l.text == std::to_string(next++) ? 0 : 1;
    CAF_CHECK_EQUAL(next, count);
    CAF_CHECK_EQUAL(wrong, 0);
  }
}

CAF_TEST(a frame longer than a piece arrives whole among others of two threads) {
  for (const bool plain : {true, false}) {
    pair_of_nodes n(plain);
    CAF_REQUIRE(join(*n.a, *n.b));
    const std::string large(3'000'001, 'L');
    std::thread other([&] {
      for (int i = 0; i < 500; ++i) send_when_possible(*n.a, *n.b, "small");
    });
    for (int i = 0; i < 5; ++i) send_when_possible(*n.a, *n.b, large);
    other.join();
    CAF_CHECK(n.b->diary.wait_for("received", 1, 505, 30s));
    int whole = 0, small = 0;
    for (const auto& l : n.b->diary.lines()) {
      whole += l.text == large ? 1 : 0;
      small += l.text == "small" ? 1 : 0;
    }
    CAF_CHECK_EQUAL(whole, 5);
    CAF_CHECK_EQUAL(small, 500);
  }
}

CAF_TEST(a frame that is too long is not sent and who sends one is cut off) {
  auto options = quick_links();
  options.frame_max = 1'000'000;
  link_node a("a", options), b("b", options);
  options.frame_max = 100;
  link_node strict("c", options);
  a.live_as(1);
  b.live_as(2);
  strict.live_as(3);
  CAF_REQUIRE(join(a, b));
  CAF_REQUIRE(join(a, strict));
  CAF_CHECK(!a.links->send(2, std::string(1'000'001, 'x')));
  CAF_CHECK(a.links->send(2, std::string(1'000'000, 'x')));
  CAF_CHECK(b.diary.wait_for("received", 1));
  CAF_CHECK(a.links->send(3, std::string(101, 'x')));
  CAF_CHECK(strict.diary.wait_for("unlinked", 1));
  CAF_CHECK(a.diary.wait_for("unlinked", 3));
  CAF_CHECK_EQUAL(strict.diary.count("received", 1), 0u);
  CAF_CHECK(a.links->send(2, "still"));
}

CAF_TEST(nothing can be sent where no link is) {
  link_node a("a");
  a.live_as(1);
  CAF_CHECK(!a.links->send(2, "x"));
  a.links->connect(2, "b", "127.0.0.1:1");
  CAF_CHECK(!a.links->send(2, "x"));
}

CAF_TEST(a reader that stops holds up the sender at the bound and not beyond) {
  auto options = quick_links();
  options.queue_max = 1u << 20;
  link_node a("a", options);
  std::mutex held;
  std::atomic<std::size_t> received{0};
  link_diary diary_b;
  auto events = diary_b.events();
  events.received = [&](incarnation_no, const std::string&) {
    const std::lock_guard wait(held); // what a handler must never do
    ++received;
  };
  link_node::settings config(options);
  caf::actor_system system(config);
  auto links = *cluster::open_peer_links(system, options, "c-1", "b", events);
  a.live_as(1);
  cluster::hello self;
  self.incarnation = 2;
  self.protocol_min = self.protocol_max = 1;
  links->greet_as(self);
  links->connect(1, "a", a.links->address());
  a.links->connect(2, "b", links->address());
  CAF_REQUIRE(a.diary.wait_for("linked", 2));
  std::size_t sent = 0;
  {
    const std::lock_guard stopped(held);
    while (a.links->send(2, std::string(10'000, 'x'))) ++sent;
    CAF_CHECK(sent * 10'000 > options.queue_max * 9 / 10);
    CAF_CHECK(sent * 10'000 < options.queue_max + (128u << 10));
    CAF_CHECK(a.links->status()[0].bytes_queued >= sent * 10'000);
    CAF_CHECK(a.links->status()[0].linked);
  }
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (!a.links->send(2, "last") && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  while (received < sent + 1 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  CAF_CHECK_EQUAL(received.load(), sent + 1);
  CAF_CHECK_EQUAL(a.diary.count("unlinked", 2), 0u);
  links->stop();
}

CAF_TEST(three nodes make a mesh) {
  link_node a("a"), b("b"), c("c");
  a.live_as(11);
  b.live_as(12);
  c.live_as(13);
  CAF_CHECK(join(a, b));
  CAF_CHECK(join(b, c));
  CAF_CHECK(join(c, a));
  CAF_CHECK(exchange(a, b));
  CAF_CHECK(exchange(b, c));
  CAF_CHECK(exchange(c, a));
}

CAF_TEST(a peer that is not known yet waits at the door) {
  link_node a("a"), b("b");
  a.live_as(1);
  b.live_as(2);
  b.connect(a);
  CAF_CHECK(!b.diary.wait_for("linked", 1, 1, 100ms));
  a.connect(b); // the database told later
  const auto begun = std::chrono::steady_clock::now();
  CAF_CHECK(b.diary.wait_for("linked", 1));
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begun;
  CAF_MESSAGE("linked after " << took.count() << " ms");
  CAF_CHECK_EQUAL(b.diary.count("unlinked", 1), 0u);
}

CAF_TEST(who has not joined yet turns others away and is not told on) {
  link_node a("a"), b("b");
  b.live_as(2);
  b.links->connect(1, "a", a.links->address());
  a.links->connect(2, "b", b.links->address());
  CAF_CHECK(b.diary.wait_for("unlinked", 1, 3)); // attempts that failed
  a.live_as(1);
  CAF_CHECK(b.diary.wait_for("linked", 1));
  CAF_CHECK(a.diary.wait_for("linked", 2));
  for (const auto* diary : {&a.diary, &b.diary})
    for (const auto& l : const_cast<link_diary*>(diary)->lines()) CAF_CHECK(l.what != "refused");
}

CAF_TEST(a new incarnation ends the old links and makes new ones) {
  link_node a("a"), b("b");
  a.live_as(1);
  b.live_as(2);
  CAF_REQUIRE(join(a, b));
  a.live_as(3); // fenced and joined again, in the same process
  CAF_CHECK(a.diary.wait_for("unlinked", 2));
  CAF_CHECK(b.diary.wait_for("unlinked", 1));
  b.links->disconnect(1);
  b.links->connect(3, "a", a.links->address());
  CAF_CHECK(a.diary.wait_for("linked", 2, 2));
  CAF_CHECK(b.diary.wait_for("linked", 3));
  CAF_CHECK(a.links->send(2, "new"));
  CAF_CHECK(b.diary.wait_for("received", 3));
  a.live_as(0);
  CAF_CHECK(b.diary.wait_for("unlinked", 3));
  CAF_CHECK(!a.links->send(2, "nobody"));
}

CAF_TEST(a peer that is not wanted any more is not linked again) {
  link_node a("a"), b("b");
  a.live_as(1);
  b.live_as(2);
  CAF_REQUIRE(join(a, b));
  a.links->disconnect(2);
  CAF_CHECK(a.diary.wait_for("unlinked", 2));
  CAF_CHECK(b.diary.wait_for("unlinked", 1, 2)); // the link, and an attempt to make it anew
  CAF_CHECK_EQUAL(a.diary.count("linked", 2), 1u);
  CAF_CHECK(a.links->status().empty());
}

CAF_TEST(nothing is told after stop) {
  link_node a("a"), b("b");
  a.live_as(1);
  b.live_as(2);
  CAF_REQUIRE(join(a, b));
  std::atomic<bool> going{true};
  std::thread sender([&] {
    while (going) b.links->send(1, "x");
  });
  CAF_CHECK(a.diary.wait_for("received", 2, 100));
  a.links->stop();
  const auto told = a.diary.lines().size();
  CAF_CHECK(b.diary.wait_for("unlinked", 1));
  going = false;
  sender.join();
  CAF_CHECK_EQUAL(a.diary.lines().size(), told);
  CAF_CHECK(!a.links->send(2, "x"));
}

CAF_TEST(a link made anew two hundred times carries frames each time) {
  // CAF's heartbeat kills handshakes that are under way; with one so fast that happens often.
  for (const auto heartbeat : {500ms, 40ms}) {
    auto options = quick_links();
    options.heartbeat = heartbeat;
    pair_of_nodes n(heartbeat == 40ms, options);
    CAF_REQUIRE(join(*n.a, *n.b));
    std::size_t good = 0;
    for (std::size_t i = 1; i <= 200; ++i) {
      auto& breaks = i % 2 == 0 ? *n.a : *n.b;
      auto& other = i % 2 == 0 ? *n.b : *n.a;
      const auto before = other.diary.count("unlinked", breaks.now);
      breaks.links->disconnect(other.now);
      if (!other.diary.wait_for("unlinked", breaks.now, before + 1)) break;
      breaks.connect(other);
      if (!frame_passes(*n.a, *n.b, "a" + std::to_string(i)) || !frame_passes(*n.b, *n.a, "b" + std::to_string(i)))
        break;
      ++good;
    }
    CAF_CHECK_EQUAL(good, 200u);
  }
}
