#define CAF_SUITE yaml

#include "config/load.hpp"

#include <caf/test/unit_test.hpp>

#include <cstdlib>
#include <random>

using namespace tobit::config;

namespace {

std::string problems_of(std::string_view yaml) {
  settings s;
  std::string out;
  for (const auto& p : apply_yaml(yaml, "f", s)) out += to_string(p) + "\n";
  return out;
}

constexpr std::string_view good =
    "# a node\nhttp:\n  address: '[::1]:0'\n  cors_origins: [https://a.example, https://b.example]\n"
    "log.level: debug\noutbound:\n  allow: 10.0.0.0/8, host.example\nentity: # nothing yet\n"
    "auth: {access_token_lifetime: 5m}\n";

} // namespace

CAF_TEST(keys may be nested or dotted and lists written both ways) {
  settings s;
  CAF_CHECK(apply_yaml(good, "f", s).empty());
  CAF_CHECK_EQUAL(s.text(setting::http_address), "[::1]:0");
  CAF_CHECK_EQUAL(s.list(setting::http_cors_origins).size(), 2u);
  CAF_CHECK_EQUAL(s.list(setting::outbound_allow).at(1), "host.example");
  CAF_CHECK_EQUAL(s.text(setting::log_level), "debug");
}

CAF_TEST(an empty file is fine) {
  for (auto text : {"", "\n", "# only a remark\n", "---\n"}) CAF_CHECK_EQUAL(problems_of(text), "");
}

CAF_TEST(operation settings may be written by their published name) {
  settings s;
  CAF_CHECK(apply_yaml("cep_metric_poll_concurrency: 8\n", "f", s).empty());
  CAF_CHECK_EQUAL(s.integer(setting::cep_metric_poll_concurrency), 8);
}

CAF_TEST(each kind of mistake has its place and sentence) {
  for (auto [yaml, expected] : std::initializer_list<std::pair<const char*, const char*>>{
           {"- a\n- b\n", "f:1:1: is not a list of `key: value` lines"},
           {"just text\n", "f:1:1: is not a list of `key: value` lines"},
           {"http: 5\n", "f:1:7: http: is a section"},
           {"http:\n  address: [a, b]\n", "f:2:12: http.address: takes one value"},
           {"http:\n  address:\n", "http.address: has no value"},
           {"outbound:\n  allow: {a: b}\n", "outbound.allow: takes a list"},
           {"outbound:\n  allow: [[a]]\n", "outbound.allow: has an entry that is not one word"},
           {"outbound:\n  allow: ['bad entry!']\n", "outbound.allow: "},
           {"log.level: info\nlog:\n  level: debug\n", "f:3:3: log.level: is set twice; the other one is at f:1:1."},
           {"log:\n  level: info\n  level: debug\n", "f:3:3: log.level: is set twice"},
           {"config: x\n", "f:1:1: config: cannot be set in the file itself"},
           {"[a]: b\n", "has a key that is not a word"},
           {"htpp:\n  address: x\n", "f:1:1: htpp: is not a known setting; did you mean 'http'?"},
           {"zzzzzzzzzzzz: 1\n", "`tobit config list` shows all."},
           {"http: {address: x\n", "is not valid YAML"},
           {"a: b: c\n", "is not valid YAML"},
           {"\tx: y\n", "is not valid YAML"},
           {"log.level: debug\n---\nlog.level: info\n", "f:2:1: starts a second YAML document"},
           {"x: \xff\n", "f:1:4: is not UTF-8 text"},
           {"a\nx: \x01\n", "f:2:4: holds a control character"},
           {"http.workers: 0\n", "f:1:15: http.workers: '0' is out of range; allowed: 1 to 256 threads"},
           {"http.idle_time: 1d\n", "'1d' is out of range; allowed: 1s to 1h"},
           {"http.head_max: 10TB\n", "'10TB' is not a size"},
           {"load_examples: maybe\n", "'maybe' is neither true nor false; allowed: true or false"}}) {
    const auto text = problems_of(yaml);
    CAF_CHECK_EQUAL(text.find(expected) == std::string::npos ? std::string(yaml) + " -> " + text : "", "");
  }
}

CAF_TEST(hostile structure ends in a problem and not in a crash) {
  const std::string deep(50'000, '[');
  CAF_CHECK(!problems_of("a: " + deep).empty());
  std::string block;
  for (int i = 0; i < 2'000; ++i) block += std::string(static_cast<std::size_t>(i % 400), ' ') + "http:\n";
  CAF_CHECK(!problems_of(block).empty());
  CAF_CHECK(!problems_of("http: &a\n  http: *a\n").empty());
  CAF_CHECK(!problems_of("outbound:\n  allow: &a [*a]\n").empty());
  std::string laughs = "a0: &a0 [x]\n";
  for (int i = 1; i < 20; ++i) {
    const auto n = std::to_string(i), before = std::to_string(i - 1);
    laughs += "a" + n + ": &a" + n + " [*a" + before + ",*a" + before + ",*a" + before + "]\n";
  }
  CAF_CHECK(!problems_of(laughs).empty());
  CAF_CHECK(!problems_of(",# yaml-cpp reads this for ever").empty());
  CAF_CHECK(!problems_of(std::string(file_size_max + 1, '#')).empty());
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "unknown" + std::to_string(i) + ": 1\n";
  settings s;
  CAF_CHECK_EQUAL(apply_yaml(many, "f", s).size(), problems_max);
}

CAF_TEST(a file with any byte changed is read or refused but never worse) {
  const char* given = std::getenv("TOBIT_TEST_SEED");
  const auto seed = given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  CAF_MESSAGE("seed " << seed);
  std::mt19937_64 random(seed);
  std::size_t refused = 0;
  for (int round = 0; round < 1'000; ++round) {
    std::string text(good);
    for (auto changes = random() % 4 + 1; changes > 0; --changes) {
      const auto at = random() % text.size();
      switch (random() % 4) {
      case 0:
        text[at] = static_cast<char>(random());
        break;
      case 1:
        text.erase(at, random() % 20);
        break;
      case 2:
        text.insert(at, std::string(random() % 5 + 1, "[]{}:,-'\"&*!|>%@`#\n\t "[random() % 22]));
        break;
      default:
        text.resize(at + 1);
        break;
      }
      if (text.empty()) text = "x";
    }
    if (!problems_of(text).empty()) ++refused;
  }
  CAF_CHECK(refused > 200);
}
