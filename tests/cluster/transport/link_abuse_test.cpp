#define CAF_SUITE link_abuse

#include "cluster/transport/greeting.hpp"
#include "link_fixture.hpp"
#include "raw_client.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <random>
#include <sys/resource.h>
#include <thread>

using namespace tobit;
using namespace tobit::testing;

namespace {

double processor_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

cluster::link_options impatient() {
  auto options = quick_links();
  options.handshake_timeout = 400ms;
  return options;
}

std::string hello_of(const std::string& node, incarnation_no incarnation, incarnation_no to) {
  return cluster::encode_greeting(cluster::said_hello{{"c-1", node, incarnation, 1, 1, "test", 0, 0}, {to, {}}});
}

/// A header of BASP with nothing behind it.
std::string basp(unsigned char operation, std::uint32_t length) {
  std::string header(32, '\0');
  header[0] = static_cast<char>(operation);
  for (std::size_t i = 0; i < 4; ++i) header[4 + i] = static_cast<char>(length >> (24 - 8 * i));
  return header;
}

/// `a` and `b` are linked and stay so, whatever is done to `a`.
struct attacked {
  explicit attacked(const cluster::link_options& options = impatient()) : a("a", options), b("b", options) {
    a.live_as(1);
    b.live_as(2);
    linked = join(a, b);
  }
  bool unharmed() {
    const auto before = b.diary.count("received", 1);
    return a.links->send(2, "alive") && b.diary.wait_for("received", 1, before + 1) &&
           a.diary.count("unlinked", 2) == 0 && b.diary.count("unlinked", 1) == 0;
  }
  link_node a, b;
  bool linked = false;
};

/// A peer that is proved (as far as plain goes) and speaks to CAF now.
raw_client proved(link_node& a, incarnation_no as) {
  a.links->connect(as, "evil", "127.0.0.1:1");
  raw_client client(a.links->address());
  client.say(hello_of("evil", as, a.now));
  const auto answer = cluster::decode_greeting(client.hear_greeting());
  CAF_REQUIRE(answer.has_value());
  CAF_CHECK(std::holds_alternative<cluster::said_hello>(*answer));
  client.say(cluster::encode_greeting(cluster::link_ready{}));
  return client;
}

} // namespace

CAF_TEST(garbage is refused at once and harms nobody) {
  attacked node;
  CAF_REQUIRE(node.linked);
  const auto seed = std::random_device{}();
  CAF_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  std::vector<std::string> texts{"GET / HTTP/1.1\r\n\r\n",
                                 std::string("\xff\xff\xff\xf0", 4),
                                 std::string("\0\0\0\0", 4),
                                 std::string("\x16\x03\x01\x02\x00\x01", 6),
                                 std::string("\0\0\0\x02{}", 6),
                                 std::string("\0\0\0\x02\xff\xff", 6),
                                 basp(1, 0),
                                 cluster::encode_greeting(cluster::link_ready{}),
                                 hello_of("a", 9, 1)};
  for (int i = 0; i < 50; ++i) {
    std::string bytes(1 + random() % 300, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    bytes[0] = static_cast<char>(bytes[0] | 1); // else it might be a length that is waited for
    texts.push_back(std::move(bytes));
  }
  for (const auto& text : texts) {
    raw_client client(node.a.links->address());
    client.say(text);
    ::shutdown(client.fd(), SHUT_WR);
    CAF_CHECK(client.closed_within(300ms)); // before the handshake's time is over
  }
  CAF_CHECK(node.a.diary.wait_for_refusal("garbage"));
  CAF_CHECK(node.unharmed());
}

CAF_TEST(silent and slow connections end when their time is over) {
  attacked node;
  CAF_REQUIRE(node.linked);
  const auto begun = std::chrono::steady_clock::now();
  raw_client silent(node.a.links->address()), slow(node.a.links->address()), half(node.a.links->address());
  const auto text = hello_of("evil", 9, 1);
  half.say(text.substr(0, text.size() / 2));
  std::thread dripping([&] {
    for (const char c : text) // about a byte in 50 ms: it would take ten seconds
      if (!slow.say(std::string(1, c)) || !slow.hear(1, 50ms).empty() || slow.closed_within(0ms)) return;
  });
  CAF_CHECK(silent.closed_within(3s));
  CAF_CHECK(half.closed_within(3s));
  dripping.join();
  const auto took = std::chrono::steady_clock::now() - begun;
  CAF_CHECK(took >= 350ms && took < 3s);
  CAF_CHECK(node.a.diary.wait_for_refusal("too_slow"));
  CAF_CHECK(node.unharmed());
}

CAF_TEST(a hundred idle and babbling connections cost no processor time and keep no good peer out) {
  auto options = quick_links();
  options.handshake_timeout = 3s;
  options.handshakes_max = 32;
  attacked node(options);
  CAF_REQUIRE(node.linked);
  std::vector<raw_client> crowd;
  for (int i = 0; i < 100; ++i) {
    crowd.emplace_back(node.a.links->address());
    if (i % 2 == 0) crowd.back().say(std::string("\0\0\0\x7f{", 5)); // a beginning, and nothing more
  }
  const auto begun = processor_seconds();
  CAF_CHECK(!node.a.diary.wait_for("linked", 77, 1, 1s)); // a second goes by
  const auto used = processor_seconds() - begun;
  CAF_MESSAGE("processor time in one second: " << used * 1e3 << " ms");
  CAF_CHECK(used < 0.1);
  link_node c("c", options);
  c.live_as(3);
  CAF_CHECK(join(node.a, c));
  CAF_CHECK(node.a.diary.wait_for_refusal("too_many_connections"));
  std::size_t closed = 0;
  for (auto& client : crowd) closed += client.closed_within(1ms) ? 1 : 0;
  CAF_CHECK(closed >= 100 - options.handshakes_max);
  CAF_CHECK(node.unharmed());
}

CAF_TEST(a flood of connections does not keep a good peer out) {
  auto options = quick_links();
  options.handshakes_max = 16;
  attacked node(options);
  CAF_REQUIRE(node.linked);
  std::atomic<bool> going{true};
  std::thread flood([&] {
    std::vector<raw_client> open;
    while (going) {
      open.emplace_back(node.a.links->address());
      if (open.size() > 50) open.clear();
      std::this_thread::sleep_for(1ms); // an attacker's pace, not a wait for something
    }
  });
  for (incarnation_no i = 3; i < 8; ++i) {
    link_node c("c", options);
    c.live_as(i);
    CAF_CHECK(join(node.a, c));
  }
  going = false;
  flood.join();
  CAF_CHECK(node.unharmed());
}

CAF_TEST(the packet that crashes CAF and lengths of gigabytes only cost the peer its link) {
  attacked node;
  CAF_REQUIRE(node.linked);
  incarnation_no as = 100;
  for (const auto& text : {basp(1, 0), basp(1, 0xfffffff0u), basp(2, 10), basp(9, 1),
                           basp(0, 58) + std::string(58, '\0'), std::string(64, '\xff')}) {
    auto client = proved(node.a, ++as);
    client.say(text);
    CAF_CHECK(client.closed_within(2s));
    CAF_CHECK(node.a.diary.wait_for("unlinked", as));
    node.a.links->disconnect(as);
  }
  CAF_CHECK(node.unharmed());
}

CAF_TEST(a proved peer that does not open the link is cut off in time) {
  attacked node;
  CAF_REQUIRE(node.linked);
  auto client = proved(node.a, 200);
  const auto begun = std::chrono::steady_clock::now();
  CAF_CHECK(node.a.diary.wait_for("unlinked", 200, 1, 3s));
  CAF_CHECK(std::chrono::steady_clock::now() - begun < 2s);
  CAF_CHECK(client.closed_within(1s));
  CAF_CHECK_EQUAL(node.a.diary.count("linked", 200), 0u);
  CAF_CHECK(node.unharmed());
}
