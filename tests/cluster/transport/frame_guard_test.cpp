#define CAF_SUITE frame_guard

#include "cluster/transport/frame_guard.hpp"

#include <caf/test/unit_test.hpp>

#include <random>
#include <string>

using namespace tobit::cluster;

namespace {

constexpr std::uint32_t limit = 1'000;

std::string message(unsigned char operation, std::uint32_t length, std::size_t payload) {
  std::string bytes(frame_guard::header_size, '\0');
  bytes[0] = static_cast<char>(operation);
  for (int i = 0; i < 4; ++i) bytes[4 + static_cast<std::size_t>(i)] = static_cast<char>(length >> (24 - 8 * i));
  return bytes + std::string(payload, '\xff');
}
std::string message(unsigned char operation, std::uint32_t length) { return message(operation, length, length); }

bool passes(frame_guard::side side, const std::string& bytes, std::size_t step = 1'000'000) {
  frame_guard guard(side, limit);
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    const auto size = std::min(step, bytes.size() - at);
    if (!guard.feed(bytes.data() + at, size)) return !guard.feed("", 0) && guard.complaint().empty(); // stays shut
  }
  return guard.complaint().empty();
}

constexpr auto dialled = frame_guard::side::dialled;
constexpr auto accepted = frame_guard::side::accepted;
const std::string server_hello = message(0, 58), client_hello = message(1, 32);

} // namespace

CAF_TEST(what two connected nodes say passes however it is cut up) {
  const auto talk =
      message(2, 100) + message(6, 0) + message(4, 64) + message(2, limit) + message(5, 30) + message(6, 0);
  for (const std::size_t step : {1u, 2u, 31u, 32u, 33u, 1'000u}) {
    CAF_CHECK(passes(dialled, server_hello + talk, step));
    CAF_CHECK(passes(accepted, client_hello + client_hello + talk, step));
  }
}

CAF_TEST(the packet that crashes CAF does not pass) {
  CAF_CHECK(!passes(accepted, message(1, 0)));
  CAF_CHECK(!passes(dialled, message(0, 0)));
  CAF_CHECK(!passes(accepted, client_hello + message(2, 0)));
}

CAF_TEST(a length beyond the limit does not pass) {
  CAF_CHECK(!passes(accepted, message(1, 0xfffffff0u, 0)));
  CAF_CHECK(!passes(accepted, client_hello + message(2, limit + 1, 0)));
  CAF_CHECK(!passes(accepted, client_hello + message(2, 0xffffffffu, 0), 1));
}

CAF_TEST(messages out of turn or of unknown kinds do not pass) {
  CAF_CHECK(!passes(accepted, message(2, 10)));
  CAF_CHECK(!passes(accepted, message(6, 0)));
  CAF_CHECK(!passes(accepted, server_hello));
  CAF_CHECK(!passes(dialled, client_hello));
  CAF_CHECK(!passes(dialled, server_hello + server_hello));
  CAF_CHECK(!passes(dialled, server_hello + client_hello));
  CAF_CHECK(!passes(accepted, client_hello + client_hello + client_hello));
  CAF_CHECK(!passes(accepted, client_hello + message(3, 80)));
  CAF_CHECK(!passes(accepted, client_hello + message(6, 1)));
  for (unsigned op = 7; op < 256; ++op)
    CAF_CHECK(!passes(accepted, client_hello + message(static_cast<unsigned char>(op), 4)));
}

CAF_TEST(random bytes are stopped before the limit) {
  const auto seed = std::random_device{}();
  CAF_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 1'000; ++round) {
    std::string bytes(2 * frame_guard::header_size + limit, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    bytes[0] = static_cast<char>(random() % 2 == 0 ? 2 : 200); // never a handshake
    CAF_CHECK(!passes(accepted, bytes, 1 + random() % 100));
  }
}
