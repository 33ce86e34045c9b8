#define CAF_SUITE definition_file

#include "node/cli/definition_file.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::cli;

namespace {

std::string flaw(std::string_view text) {
  const auto read = read_definitions(text, "f");
  return read ? "" : read.error();
}

} // namespace

CAF_TEST(one a list an answer and several documents are all read) {
  CAF_CHECK_EQUAL(read_definitions("{\"a\":1}", "f")->size(), 1u);
  CAF_CHECK_EQUAL(read_definitions(" [{\"a\":1},{\"a\":2}]", "f")->size(), 2u);
  CAF_CHECK_EQUAL(read_definitions("{\"rules\":[{\"a\":1},{\"a\":2}]}", "f")->size(), 2u);
  CAF_CHECK_EQUAL(read_definitions("a: 1\n", "f")->size(), 1u);
  CAF_CHECK_EQUAL(read_definitions("- a: 1\n- a: 2\n", "f")->size(), 2u);
  CAF_CHECK_EQUAL(read_definitions("---\na: 1\n---\na: 2\n--- # three\na: 3\n", "f")->size(), 3u);
  CAF_CHECK_EQUAL(read_definitions("{a: 1, b: [x, y]}", "f.yaml")->front().at("b").size(), 2u);
}

CAF_TEST(YAML scalars become what they look like and quoted ones stay texts) {
  const auto read = read_definitions(
      "i: 5\nf: 1.5\ne: 1e3\nb: true\nn: null\nt: ~\nq: '5'\ns: text\nd: 2026-11-20\nx: inf\nv: 1.2.3\nz: 010\nm: -3\n",
      "f");
  CAF_REQUIRE(read.has_value());
  const auto& o = read->front();
  CAF_CHECK(o.at("i") == 5 && o.at("i").is_number_integer());
  CAF_CHECK(o.at("f") == 1.5 && o.at("e") == 1000.0 && o.at("m") == -3);
  CAF_CHECK(o.at("b") == true && o.at("n").is_null() && o.at("t").is_null());
  for (auto name : {"q", "s", "d", "x", "v"}) CAF_CHECK(o.at(name).is_string());
}

CAF_TEST(a flaw is named with its place) {
  CAF_CHECK_EQUAL(flaw("{\"a\": 1,\n \"b\": }"), "f:2:7: is not valid JSON.");
  CAF_CHECK_EQUAL(flaw("a: 1\n---\nb: 1\nb: 2\n"), "f:4:1: 'b' is written twice.");
  CAF_CHECK_EQUAL(flaw("just text"), "f:1: holds neither an object nor a list of objects.");
  CAF_CHECK_EQUAL(flaw("[1]"), "f: entry 1 of the list is not an object.");
  CAF_CHECK_EQUAL(flaw(""), "f: holds no definition.");
  CAF_CHECK_NOT_EQUAL(flaw("cron: */5 * * * *\n").find("needs quotes"), std::string::npos);
  CAF_CHECK(!flaw("a: \xff").empty());
}

CAF_TEST(hostile files end in a flaw) {
  CAF_CHECK(!flaw(std::string(100'000, '[')).empty());
  CAF_CHECK(!flaw("a: " + std::string(50'000, '{')).empty());
  CAF_CHECK(!flaw(",a").empty());
  CAF_CHECK(!flaw("a: &x [*x]\n").empty());
  std::string laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    const auto n = std::to_string(i), p = "*a" + std::to_string(i - 1);
    laughs += "a" + n + ": &a" + n + " [" + p;
    for (int k = 0; k < 9; ++k) laughs += "," + p;
    laughs += "]\n";
  }
  CAF_CHECK(!flaw(laughs).empty());
}
