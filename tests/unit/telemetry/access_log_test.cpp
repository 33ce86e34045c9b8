#define CAF_SUITE access_log

#include "runtime/telemetry/access_log.hpp"
#include "schemas/json.hpp"

#include <caf/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace tobit;
using namespace tobit::telemetry;

namespace {

struct folder {
  std::filesystem::path path;
  folder() {
    std::string name = (std::filesystem::temp_directory_path() / "tobit-access-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~folder() { std::filesystem::remove_all(path); }
};

access_record some_request() {
  access_record r;
  r.at = from_micros(1'763'627'400'000'000);
  r.method = "GET";
  r.path = "/cep/rules/\"x\"";
  r.route = "/cep/rules/{rule_id}";
  r.status = 200;
  r.bytes_out = 12;
  r.duration = std::chrono::microseconds{1'034};
  r.remote_address = "127.0.0.1";
  r.user_agent = "curl\n/8";
  return r;
}

} // namespace

CAF_TEST(a request becomes one JSON object) {
  auto request = some_request();
  request.tenant = "acme";
  const auto text = format_access(request);
  const auto parsed = parse_json(text);
  CAF_REQUIRE(parsed.has_value());
  CAF_CHECK_EQUAL(parsed->at("status"), 200);
  CAF_CHECK_NOT_EQUAL(text.find("\"duration_ms\":1.034"), std::string::npos);
  CAF_CHECK_EQUAL(parsed->at("path"), "/cep/rules/\"x\"");
  CAF_CHECK_EQUAL(parsed->at("user_agent"), "curl\n/8");
  CAF_CHECK_EQUAL(parsed->at("tenant"), "acme");
  CAF_CHECK(!parsed->contains("principal"));
  CAF_CHECK_EQUAL(text.find('\n'), std::string::npos);
}

CAF_TEST(every recorded request is in the file when the log is closed) {
  const folder place;
  const auto file = (place.path / "deep" / "access.jsonl").string();
  {
    auto log = open_access_log(file);
    CAF_REQUIRE(log.has_value());
    for (int i = 0; i < 1'000; ++i) (*log)->write(some_request());
    CAF_CHECK_EQUAL((*log)->dropped(), 0u);
  }
  std::ifstream in(file);
  std::string line;
  std::size_t lines = 0;
  while (std::getline(in, line)) lines += parse_json(line).has_value() ? 1 : 0;
  CAF_CHECK_EQUAL(lines, 1'000u);
}
