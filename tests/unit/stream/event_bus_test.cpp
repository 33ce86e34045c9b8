#define CAF_SUITE event_bus

#include "runtime/stream/event_bus.hpp"

#include <caf/test/unit_test.hpp>

#include <atomic>
#include <thread>
#include <vector>

using namespace tobit;
using namespace tobit::stream;

namespace {

const tenant_id acme{"acme"};

struct collected {
  std::vector<std::uint64_t> ids;
  event_bus::watcher watch() {
    return [this](const stream_item& item) { ids.push_back(item.id); };
  }
};

using ids = std::vector<std::uint64_t>;

} // namespace

CAF_TEST(a watcher gets later items of its own topic and tenant only) {
  auto bus = make_event_bus();
  bus->publish(acme, "cep.events", "new_event", {{"n", 0}});
  std::vector<stream_item> got;
  auto handle = bus->subscribe(acme, "cep.events", 0, [&](const stream_item& item) { got.push_back(item); });
  bus->publish(acme, "cep.events", "new_event", {{"n", 1}});
  bus->publish(acme, "actors", "x", {});
  bus->publish(tenant_id{"other"}, "cep.events", "new_event", {{"n", 2}});
  CAF_REQUIRE_EQUAL(got.size(), 1u);
  CAF_CHECK_EQUAL(got[0].id, 2u);
  CAF_CHECK_EQUAL(got[0].event, "new_event");
  CAF_CHECK_EQUAL(*got[0].data, R"({"n":1})");
}

CAF_TEST(resuming replays what is kept and nothing twice) {
  auto bus = make_event_bus(3);
  for (int i = 0; i < 5; ++i) bus->publish(acme, "t", "e", i);
  collected all, some;
  auto one = bus->subscribe(acme, "t", 1, all.watch());
  auto two = bus->subscribe(acme, "t", 4, some.watch());
  bus->publish(acme, "t", "e", 5);
  CAF_CHECK_EQUAL(all.ids, (ids{3, 4, 5, 6}));
  CAF_CHECK_EQUAL(some.ids, (ids{5, 6}));
}

CAF_TEST(an id from before a restart replays everything that is kept) {
  auto bus = make_event_bus(10);
  bus->publish(acme, "t", "e", 1);
  bus->publish(acme, "t", "e", 2);
  collected all;
  auto handle = bus->subscribe(acme, "t", 9'000, all.watch());
  CAF_CHECK_EQUAL(all.ids, (ids{1, 2}));
}

CAF_TEST(the bytes kept for replay are bounded) {
  event_bus_options options;
  options.replay_bytes_max = 100;
  auto bus = make_event_bus(options);
  for (int i = 0; i < 10; ++i) bus->publish(acme, "t", "e", std::string(38, 'x'));
  collected all;
  auto handle = bus->subscribe(acme, "t", 1, all.watch());
  CAF_CHECK_EQUAL(all.ids, (ids{9, 10}));
}

CAF_TEST(a destroyed handle ends the subscription also after the bus is gone) {
  auto bus = make_event_bus();
  collected got, other;
  auto handle = bus->subscribe(acme, "t", 0, got.watch());
  auto kept = bus->subscribe(acme, "t", 0, other.watch());
  bus->publish(acme, "t", "e", 1);
  handle.reset();
  bus->publish(acme, "t", "e", 2);
  bus.reset();
  kept.reset();
  CAF_CHECK_EQUAL(got.ids, (ids{1}));
  CAF_CHECK_EQUAL(other.ids, (ids{1, 2}));
}

CAF_TEST(a watcher may end itself and others and publish while it is called) {
  auto bus = make_event_bus();
  collected first, last;
  std::shared_ptr<void> mine, others;
  auto stays = bus->subscribe(acme, "t", 0, first.watch());
  int calls = 0;
  mine = bus->subscribe(acme, "t", 0, [&](const stream_item&) {
    ++calls;
    bus->publish(acme, "t", "e", "from inside");
    others.reset();
    mine.reset();
  });
  collected gone;
  others = bus->subscribe(acme, "t", 0, gone.watch());
  auto end = bus->subscribe(acme, "t", 0, last.watch());
  bus->publish(acme, "t", "e", 1);
  CAF_CHECK_EQUAL(calls, 1);
  CAF_CHECK_EQUAL(gone.ids, ids{});
  CAF_CHECK_EQUAL(first.ids, (ids{1, 2}));
  CAF_CHECK_EQUAL(last.ids, (ids{1, 2}));
}

CAF_TEST(a watcher that throws disturbs nobody) {
  auto bus = make_event_bus();
  collected got;
  auto bad = bus->subscribe(acme, "t", 0, [](const stream_item&) { throw std::runtime_error("no"); });
  auto good = bus->subscribe(acme, "t", 0, got.watch());
  bus->publish(acme, "t", "e", 1);
  CAF_CHECK_EQUAL(got.ids, (ids{1}));
}

CAF_TEST(the number of topics is bounded and ids rise although a topic was forgotten) {
  event_bus_options options;
  options.topics_max = 2;
  auto bus = make_event_bus(options);
  for (int i = 0; i < 5; ++i) bus->publish(acme, "a", "e", i);
  bus->publish(acme, "b", "e", 1);
  bus->publish(acme, "c", "e", 1); // forgets "a", which gave out 1 to 5
  collected a, b, c, d;
  auto watch_a = bus->subscribe(acme, "a", 0, a.watch()); // forgets "b"
  auto watch_c = bus->subscribe(acme, "c", 0, c.watch());
  bus->publish(acme, "a", "e", 1);
  CAF_CHECK_EQUAL(a.ids, (ids{6}));
  bus->publish(acme, "d", "e", 1); // all others are watched: there is no place
  auto watch_d = bus->subscribe(acme, "d", 1, d.watch());
  CAF_CHECK_EQUAL(d.ids, ids{});
  bus->publish(acme, "d", "e", 1);
  CAF_CHECK_EQUAL(d.ids.size(), 1u);
}

CAF_TEST(no call comes after the handle is gone and ids rise while many threads publish) {
  event_bus_options options;
  options.topics_max = 3;
  options.replay_max = 10;
  auto bus = make_event_bus(options);
  std::atomic<bool> stop{false};
  std::atomic<int> violations{0};
  std::vector<std::thread> publishers;
  for (int p = 0; p < 3; ++p)
    publishers.emplace_back([&, p] {
      for (int i = 0; !stop; ++i) bus->publish(acme, i % 3 ? "shared" : "t" + std::to_string((i + p) % 4), "e", i);
    });
  for (int round = 0; round < 2'000; ++round) {
    std::atomic<bool> alive{true};
    std::uint64_t last = 0;
    auto handle = bus->subscribe(acme, "shared", round % 2 ? 1 : 0, [&](const stream_item& item) {
      if (!alive || item.id <= last) ++violations;
      last = item.id;
    });
    if (round % 3 == 0) std::this_thread::yield();
    handle.reset();
    alive = false;
  }
  stop = true;
  for (auto& thread : publishers) thread.join();
  CAF_CHECK_EQUAL(violations.load(), 0);
}
