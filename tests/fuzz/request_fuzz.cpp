// libFuzzer entry for everything that reads a client's bytes before a handler does. Built and run by tests/fuzz/run.sh.
#include "http/server/body_decoder.hpp"
#include "http/server/content_coding.hpp"
#include "http/server/head_parser.hpp"

#include <cstdint>
#include <cstdlib>

using namespace tobit::http::edge;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void read_request(std::string_view bytes, std::size_t cut) {
  head_scanner scanner;
  auto verdict = scanner.scan(bytes.substr(0, cut));
  if (verdict == head_scanner::verdict::incomplete) verdict = scanner.scan(bytes);
  if (verdict != head_scanner::verdict::complete) return;
  require(scanner.begin() < scanner.end() && scanner.end() <= bytes.size());
  const auto head = parse_head(bytes.substr(scanner.begin(), scanner.end() - scanner.begin()), {4096, 50, 1024});
  if (!head) return;
  const auto& path = head->incoming.path;
  require(path == "*" || path.front() == '/');
  require((path + "/").find("/../") == std::string::npos);
  choose_coding(head->incoming.header("accept-encoding"));
  auto rest = bytes.substr(scanner.end());
  std::string body;
  auto decoder =
      head->body == framing::chunked ? body_decoder::chunked(1000) : body_decoder::of_length(head->content_length);
  if (const auto used = decoder.feed(rest, body); !used) return;
  require(head->body != framing::chunked || body.size() <= 1000);
  if (const auto plain = decode_content(head->incoming.header("content-encoding"), body, 5000); plain)
    require(plain->size() <= std::max<std::size_t>(5000, body.size()));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  read_request(bytes, std::min<std::size_t>(data[0], bytes.size()));
  return 0;
}
