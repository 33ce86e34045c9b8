#define CAF_SUITE event_batch

#include "actors/event/batch_tail.hpp"
#include "actors/event/event_batch.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::event;

namespace {

const std::string text =
    "{\"type\":\"a\",\"source\":\"/1\",\"data\":1}\n{\"type\":\"b\\u0041\",\"source\":\"/1\",\"data\":2}\n"
    "{\"type\":\"a\",\"source\":\"/1\",\"data\":3}\n";

logged_batch_ptr batch(std::uint64_t first, std::size_t size = 10) {
  auto one = std::make_shared<logged_batch>();
  one->first_offset = first;
  one->events.lines.resize(10);
  one->events.text.resize(size);
  return one;
}

} // namespace

CAF_TEST(stored text comes back and is indexed) {
  auto back = inflated(compressed(text));
  CAF_REQUIRE(back);
  CAF_CHECK_EQUAL(*back, text);
  auto events = index_lines(std::move(*back));
  CAF_REQUIRE(events);
  CAF_REQUIRE_EQUAL(events->lines.size(), 3u);
  CAF_CHECK_EQUAL(events->pairs.size(), 2u);
  CAF_CHECK_EQUAL(events->pairs[events->lines[1].pair].first, "bA");
  CAF_CHECK_EQUAL(events->lines[2].pair, events->lines[0].pair);
  CAF_CHECK_EQUAL(events->line(2), "{\"type\":\"a\",\"source\":\"/1\",\"data\":3}");
}

CAF_TEST(damaged rows are errors) {
  CAF_CHECK(!inflated("not zstd at all"));
  auto stored = compressed(text);
  stored.resize(stored.size() / 2);
  CAF_CHECK(!inflated(stored));
  CAF_CHECK(!index_lines("{\"no type\":1}\n"));
  CAF_CHECK(!index_lines("{broken\n"));
}

CAF_TEST(events are left out without touching the others) {
  auto events = index_lines(text);
  CAF_REQUIRE(events);
  const auto rest = only(*events, {true, false, true});
  CAF_REQUIRE_EQUAL(rest.lines.size(), 2u);
  CAF_CHECK_EQUAL(rest.line(1), events->line(2));
  CAF_CHECK_EQUAL(index_lines(rest.text)->lines.size(), 2u);
}

CAF_TEST(hashes come back from their bytes) {
  const std::vector<id_hash> hashes{hash_of("a", "b", "c"), hash_of("d", "e", "f")};
  CAF_CHECK(hashes_from_bytes(to_bytes(hashes)) == hashes);
  CAF_CHECK(hashes_from_bytes("").empty());
}

CAF_TEST(the tail finds what is in memory and stays within its bound) {
  batch_tail tail{20'000};
  for (std::uint64_t i = 0; i < 100; ++i) tail.push(batch(i * 10, 1'000));
  CAF_CHECK(tail.bytes() <= 20'000u);
  CAF_CHECK(!tail.find(0));
  CAF_CHECK(!tail.find(1'000));
  CAF_REQUIRE(tail.find(995));
  CAF_CHECK_EQUAL(tail.find(995)->first_offset, 990u);
}

CAF_TEST(a gap empties the tail) {
  batch_tail tail{20'000};
  tail.push(batch(0));
  tail.push(batch(50));
  CAF_CHECK(!tail.find(5));
  CAF_CHECK(tail.find(55));
}
