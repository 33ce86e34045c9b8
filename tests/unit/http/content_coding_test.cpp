#define CAF_SUITE content_coding

#include "http/server/content_coding.hpp"

#include <caf/test/unit_test.hpp>

#include <brotli/decode.h>
#include <zlib.h>

using namespace tobit;
using namespace tobit::http::edge;

namespace {

std::string deflated(std::string_view plain, int window) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

bool is_refused(const result<std::string>& outcome, error_code code) {
  return !outcome && outcome.error().code == code;
}

const std::string text = [] {
  std::string made;
  for (int i = 0; i < 500; ++i) made += "line " + std::to_string(i) + " of a text that repeats itself\n";
  return made;
}();

} // namespace

CAF_TEST(every spelling of deflate and gzip is undone) {
  const std::size_t limit = text.size();
  CAF_CHECK(decode_content("gzip", deflated(text, 31), limit) == text);
  CAF_CHECK(decode_content(" GZip ", deflated(text, 31), limit) == text);
  CAF_CHECK(decode_content("x-gzip", deflated(text, 31), limit) == text);
  CAF_CHECK(decode_content("deflate", deflated(text, 15), limit) == text);
  CAF_CHECK(decode_content("deflate", deflated(text, -15), limit) == text);
  CAF_CHECK(decode_content("gzip", deflated("a", 31) + deflated("b", 31), limit) == std::string{"ab"});
  CAF_CHECK(decode_content("identity", text, limit) == text);
  CAF_CHECK(decode_content("", text, limit) == text);
}

CAF_TEST(damaged and unknown content is refused) {
  const auto packed = deflated(text, 31);
  for (std::size_t size = 1; size < packed.size(); size += 13)
    CAF_CHECK(is_refused(decode_content("gzip", packed.substr(0, size), text.size()), error_code::validation_error));
  CAF_CHECK(is_refused(decode_content("gzip", packed + "x", text.size()), error_code::validation_error));
  CAF_CHECK(is_refused(decode_content("gzip", "not gzip at all", 100), error_code::validation_error));
  CAF_CHECK(is_refused(decode_content("deflate", deflated("a", 15) + "x", 100), error_code::validation_error));
  for (const char* coding : {"br", "gzip, gzip", "zstd", "compress"})
    CAF_CHECK(is_refused(decode_content(coding, "abc", 100), error_code::unsupported_media_type));
}

CAF_TEST(a bomb stops at the limit) {
  const std::string bomb = deflated(std::string(20'000'000, '\0'), 31);
  CAF_CHECK(bomb.size() < 50'000);
  CAF_CHECK(is_refused(decode_content("gzip", bomb, 1u << 20), error_code::payload_too_large));
  CAF_CHECK(is_refused(decode_content("gzip", deflated(text, 31), text.size() - 1), error_code::payload_too_large));
}

CAF_TEST(the preference of the client decides the coding) {
  struct preference {
    const char* header;
    content_coding expected;
  };
  for (const auto& [header, expected] : {
           preference{"", content_coding::identity},
           preference{"gzip", content_coding::gzip},
           preference{"gzip, deflate, br", content_coding::brotli},
           preference{"gzip;q=1.0, br;q=0.5", content_coding::gzip},
           preference{"GZIP ; q=0.1", content_coding::gzip},
           preference{"gzip;q=0", content_coding::identity},
           preference{"*", content_coding::brotli},
           preference{"*;q=0.5, br;q=0", content_coding::gzip},
           preference{"identity", content_coding::identity},
           preference{"identity;q=1, gzip;q=0.5", content_coding::identity},
           preference{"identity;q=0.5, gzip", content_coding::gzip},
           preference{"gzip;q=nonsense", content_coding::identity},
           preference{"gzip;level=9", content_coding::identity},
           preference{",,;,", content_coding::identity},
           preference{"deflate", content_coding::identity},
       })
    CAF_CHECK_EQUAL(std::string{name_of(choose_coding(header))}, std::string{name_of(expected)});
}

CAF_TEST(what is compressed can be read again) {
  const auto packed = compress(content_coding::gzip, text);
  CAF_REQUIRE(packed.has_value());
  CAF_CHECK(packed->size() < text.size() / 2);
  CAF_CHECK(decode_content("gzip", *packed, text.size()) == text);
  const auto small = compress(content_coding::brotli, text);
  CAF_REQUIRE(small.has_value());
  std::string plain(text.size(), '\0');
  std::size_t size = plain.size();
  CAF_CHECK(BrotliDecoderDecompress(small->size(), reinterpret_cast<const uint8_t*>(small->data()), &size,
                                    reinterpret_cast<uint8_t*>(plain.data())) == BROTLI_DECODER_RESULT_SUCCESS);
  CAF_CHECK(plain == text);
  CAF_CHECK(!compress(content_coding::identity, text));
  CAF_CHECK(!compress(content_coding::gzip, "short"));
}

CAF_TEST(only texts are worth compressing) {
  for (const char* type : {"text/html; charset=utf-8", "application/json", "application/problem+json", "image/svg+xml"})
    CAF_CHECK(is_compressible(type));
  for (const char* type : {"image/png", "text/event-stream", "application/octet-stream", "", "application/zip"})
    CAF_CHECK(!is_compressible(type));
}
