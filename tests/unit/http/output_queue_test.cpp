#define CAF_SUITE output_queue

#include "http/server/deadline_queue.hpp"
#include "http/server/output_queue.hpp"

#include <caf/test/unit_test.hpp>

#include <array>
#include <random>

using namespace tobit;
using namespace tobit::http::edge;

namespace {

/// Takes `size` bytes off as a socket would.
std::string take(output_queue& queue, std::size_t size, std::size_t& charges) {
  std::array<iovec, 4> pieces;
  const auto count = queue.front(pieces.data(), pieces.size());
  std::string taken;
  for (std::size_t i = 0; i < count && taken.size() < size; ++i)
    taken.append(static_cast<const char*>(pieces[i].iov_base), std::min(pieces[i].iov_len, size - taken.size()));
  charges += queue.consume(taken.size());
  return taken;
}

} // namespace

CAF_TEST(bytes come out as they went in however they are taken) {
  const auto seed = std::random_device{}();
  CAF_MESSAGE("seed " << seed);
  std::mt19937 random{seed};
  output_queue queue;
  std::string expected, got;
  std::size_t charged = 0, charges = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::string piece(random() % 40 == 0 ? 30'000 : random() % 100, static_cast<char>('a' + i % 26));
    expected += piece;
    const auto charge = piece.empty() ? 0 : piece.size() + 1;
    charged += charge;
    if (random() % 2 == 0)
      queue.push(piece, charge);
    else
      queue.push(std::make_shared<const std::string>(piece), charge);
    if (random() % 2 == 0) got += take(queue, 1 + random() % 20'000, charges);
    CAF_CHECK_EQUAL(queue.bytes(), expected.size() - got.size());
  }
  while (!queue.empty()) got += take(queue, 10'000, charges);
  CAF_CHECK(got == expected);
  CAF_CHECK_EQUAL(charges, charged);
}

CAF_TEST(many small pieces become few) {
  output_queue queue;
  for (int i = 0; i < 100; ++i) queue.push(std::make_shared<const std::string>("data: x\n\n"));
  std::array<iovec, 64> pieces;
  CAF_CHECK_EQUAL(queue.front(pieces.data(), pieces.size()), 1u);
}

CAF_TEST(reminders come due in their order and not before) {
  deadline_queue queue;
  const auto at = [](int ms) { return steady_time{std::chrono::milliseconds{ms}}; };
  queue.remind(1, at(30));
  queue.remind(2, at(10));
  queue.remind(3, at(20));
  CAF_CHECK(queue.next() == at(10));
  CAF_CHECK(!queue.due(at(9)));
  CAF_CHECK(queue.due(at(20)) == connection_id{2});
  CAF_CHECK(queue.due(at(20)) == connection_id{3});
  CAF_CHECK(!queue.due(at(20)));
  CAF_CHECK(queue.due(at(99)) == connection_id{1});
  CAF_CHECK(!queue.next());
}
