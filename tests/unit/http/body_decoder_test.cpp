#define CAF_SUITE body_decoder

#include "http/server/body_decoder.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::http::edge;

namespace {

constexpr std::size_t body_max = 64;

struct decoded {
  std::string body;
  std::size_t used = 0;
  bool done = false;
  bool failed = false;
  error_code why{};
  bool operator==(const decoded&) const = default;
};

/// Feeds two pieces, as they would arrive.
decoded decode(body_decoder decoder, std::string_view bytes, std::size_t cut) {
  decoded got;
  for (const auto piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
    if (got.done || got.failed) break;
    const auto used = decoder.feed(piece, got.body);
    if (!used) {
      got.failed = true;
      got.why = used.error().code;
      got.body.clear();
      got.used = 0;
    } else {
      got.used += *used;
    }
    got.done = decoder.done();
  }
  return got;
}

/// Decodes a chunked body and makes sure that it does not matter where the bytes were cut.
decoded decode_chunked(std::string_view bytes) {
  const auto whole = decode(body_decoder::chunked(body_max), bytes, bytes.size());
  for (std::size_t cut = 0; cut < bytes.size(); ++cut)
    CAF_CHECK(decode(body_decoder::chunked(body_max), bytes, cut) == whole);
  return whole;
}

} // namespace

CAF_TEST(a body of known length ends there) {
  const std::string_view bytes = "hello, next request";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    const auto got = decode(body_decoder::of_length(5), bytes, cut);
    CAF_CHECK_EQUAL(got.body, "hello");
    CAF_CHECK_EQUAL(got.used, 5u);
    CAF_CHECK(got.done);
  }
  CAF_CHECK(body_decoder::of_length(0).done());
  CAF_CHECK(!decode(body_decoder::of_length(50), bytes, 3).done);
}

CAF_TEST(chunks are joined and what follows the last one is left alone) {
  const auto got = decode_chunked("5\r\nhello\r\n00b;name=\"v\"\r\n, \r\nworld!!\r\n0\r\nTrailer: x\r\n\r\nGET /");
  CAF_CHECK_EQUAL(got.body, "hello, \r\nworld!!");
  CAF_CHECK(got.done);
  CAF_CHECK_EQUAL(got.used,
                  std::string_view{"5\r\nhello\r\n00b;name=\"v\"\r\n, \r\nworld!!\r\n0\r\nTrailer: x\r\n\r\n"}.size());
  CAF_CHECK(decode_chunked("0\r\n\r\n").done);
  CAF_CHECK(!decode_chunked("0\r\n").done);
}

CAF_TEST(chunk framing is read strictly) {
  for (const char* bad : {"\r\n", "g\r\n", "-1\r\n", "0x1\r\n", " 1\r\na\r\n", "1\na\r\n", "1\r\nab\r\n",
                          "1\r\na\n0\r\n\r\n", "1\r\na\r0\r\n\r\n", "1\r\ra", ";x\r\n", "0\r\n\n", "0\r\nA: b\n\r\n",
                          "0\r\nA: \x01\r\n\r\n", "0\r\n\r\r\n", "1;\x01\r\na\r\n"})
    CAF_CHECK(decode_chunked(bad).failed && decode_chunked(bad).why == error_code::validation_error);
}

CAF_TEST(limits hold for sizes and for what surrounds them) {
  CAF_CHECK(!decode_chunked("40\r\n" + std::string(64, 'a') + "\r\n0\r\n\r\n").failed);
  CAF_CHECK(decode_chunked("41\r\n").why == error_code::payload_too_large);
  CAF_CHECK(decode_chunked("20\r\n" + std::string(32, 'a') + "\r\n21\r\n").why == error_code::payload_too_large);
  CAF_CHECK(decode_chunked("ffffffffffffffff\r\n").why == error_code::payload_too_large);
  CAF_CHECK(decode_chunked("00000000000000001\r\n").why == error_code::payload_too_large);
  CAF_CHECK(decode_chunked("1;" + std::string(300, 'x')).why == error_code::validation_error);
  std::string trailers = "0\r\n";
  for (int i = 0; i < 500; ++i) trailers += "A: bcdefghijklmnop\r\n";
  const auto got = decode(body_decoder::chunked(body_max), trailers, trailers.size());
  CAF_CHECK(got.why == error_code::headers_too_large);
}
