#define CAF_SUITE mutation

#include "http/server/body_decoder.hpp"
#include "http/server/content_coding.hpp"
#include "http/server/head_parser.hpp"
#include "http/server/response_writer.hpp"

#include <caf/test/unit_test.hpp>
#include <simdjson.h>

#include <cstdlib>
#include <random>

using namespace std::string_view_literals;
using namespace tobit;
using namespace tobit::http;
using namespace tobit::http::edge;

namespace {

constexpr head_limits limits{4096, 20, 512};
constexpr std::size_t body_max = 1000;

/// Requests that are good, or bad in one way, to begin with.
const std::vector<std::string> seeds{
    "GET /a/../b%20c?x=%41&y=+ HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n",
    "POST http://h:1/x?y HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
    "PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\na\r\n0123456789\r\n0\r\nT: "
    "v\r\n\r\n",
    "\r\nOPTIONS * HTTP/1.0\r\nConnection: keep-alive, close\r\nExpect: 100-continue\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
};

std::uint32_t seed_of_run() {
  const char* given = std::getenv("TOBIT_TEST_SEED");
  return given ? static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10)) : std::random_device{}();
}

std::string mutated(std::string bytes, std::mt19937& random) {
  static constexpr auto interesting = "\r\n\0 \t:;,%/.?#\x7f\x80\xff-+0123456789abcdefXHT"sv;
  const auto times = 1 + random() % 4;
  for (unsigned i = 0; i < times && !bytes.empty(); ++i) {
    const auto at = random() % bytes.size();
    const char byte = interesting[random() % interesting.size()];
    switch (random() % 5) {
    case 0:
      bytes[at] = byte;
      break;
    case 1:
      bytes.insert(at, 1, byte);
      break;
    case 2:
      bytes.erase(at, 1 + random() % 3);
      break;
    case 3:
      bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 20));
      break;
    default:
      std::swap(bytes[at], bytes[random() % bytes.size()]);
      break;
    }
  }
  return bytes;
}

struct reading {
  bool complete = false, refused = false;
  request_head head;
  std::string body;
  std::size_t used = 0;
};

/// Reads one request whose bytes arrive in two pieces.
reading read(std::string_view bytes, std::size_t cut) {
  reading got;
  head_scanner scanner;
  auto verdict = scanner.scan(bytes.substr(0, cut));
  if (verdict == head_scanner::verdict::incomplete) verdict = scanner.scan(bytes);
  got.refused = verdict == head_scanner::verdict::malformed;
  if (verdict != head_scanner::verdict::complete) return got;
  auto head = parse_head(bytes.substr(scanner.begin(), scanner.end() - scanner.begin()), limits);
  if (!head) return {false, true, {}, {}, 0};
  got.head = std::move(*head);
  got.used = scanner.end();
  auto decoder = got.head.body == framing::chunked ? body_decoder::chunked(body_max)
                                                   : body_decoder::of_length(got.head.content_length);
  for (const auto end : {std::max(cut, got.used), bytes.size()}) {
    const auto used = decoder.feed(bytes.substr(got.used, end - got.used), got.body);
    if (!used) return {false, true, {}, {}, 0};
    got.used += *used;
  }
  got.complete = decoder.done();
  return got;
}

/// What handlers may rely on, however the bytes looked.
bool is_sound(const request_head& head) {
  const auto& got = head.incoming;
  const bool path_ok =
      got.path == "*" || (got.path.starts_with("/") && (got.path + "/").find("/../") == std::string::npos);
  bool ok =
      path_ok && simdjson::validate_utf8(got.path) && got.path.find('\0') == std::string::npos && !got.method.empty();
  for (const auto& [name, value] : got.headers)
    ok = ok && !name.empty() && (name + value).find_first_of(std::string_view{"\r\n\0", 3}) == std::string::npos;
  return ok && got.headers.size() <= limits.header_count_max;
}

} // namespace

CAF_TEST(mutated requests are read the same however they are cut or are refused) {
  const auto seed = seed_of_run();
  CAF_MESSAGE("TOBIT_TEST_SEED=" << seed);
  std::mt19937 random{seed};
  int unsound = 0, different = 0, complete = 0;
  for (int round = 0; round < 20'000; ++round) {
    const auto bytes = mutated(seeds[random() % seeds.size()], random);
    const auto whole = read(bytes, bytes.size());
    const auto cut = read(bytes, random() % (bytes.size() + 1));
    if (whole.complete && !is_sound(whole.head)) ++unsound;
    if (whole.complete != cut.complete || whole.refused != cut.refused || whole.body != cut.body ||
        whole.used != cut.used)
      ++different;
    complete += whole.complete ? 1 : 0;
  }
  CAF_CHECK_EQUAL(unsound, 0);
  CAF_CHECK_EQUAL(different, 0);
  CAF_CHECK(complete > 100);
}

CAF_TEST(random compressed bodies are undone or refused) {
  const auto seed = seed_of_run();
  CAF_MESSAGE("TOBIT_TEST_SEED=" << seed);
  std::mt19937 random{seed};
  const auto packed = compress(content_coding::gzip, std::string(5000, 'a')).value();
  for (int round = 0; round < 2000; ++round) {
    const auto plain = decode_content(random() % 2 == 0 ? "gzip" : "deflate", mutated(packed, random), 10'000);
    CAF_CHECK(!plain || plain->size() <= 10'000);
  }
}
