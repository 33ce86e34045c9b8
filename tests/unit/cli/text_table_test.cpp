#define CAF_SUITE text_table

#include "node/cli/node_address.hpp"
#include "node/cli/progress_bar.hpp"
#include "node/cli/text_table.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit::cli;

namespace {

std::string url_of(std::string_view text) { return parse_node_address(text).value().url; }
std::string authority_of(std::string_view text) { return parse_node_address(text).value().authority; }

} // namespace

CAF_TEST(columns stay aligned with wide characters) {
  CAF_CHECK_EQUAL(display_width("메모리"), 6u);
  CAF_CHECK_EQUAL(display_width("é"), 1u);
  CAF_CHECK_EQUAL(display_width("e\xCC\x81"), 1u);
  text_table table({"NAME", "N"});
  table.add({"메모리", "1"});
  table.add({"a", "2"});
  table.add({"b"});
  CAF_CHECK_EQUAL(table.str(), "NAME    N\n메모리  1\na       2\nb\n");
}

CAF_TEST(control characters never reach the terminal) {
  CAF_CHECK_EQUAL(printable("a\x1b[31mb\nc\td\x7f"), "a [31mb c d ");
  CAF_CHECK_EQUAL(printable("\xC2\x9B"
                            "31m"),
                  " 31m");
}

CAF_TEST(the progress line says how much how fast and how long) {
  CAF_CHECK_EQUAL(progress_bar::line("rules", 2'500, 10'000, 2, 120),
                  "██████░░░░░░░░░░░░░░░░░░  2,500/10,000 rules  1,250/s  6 s left");
  CAF_CHECK_EQUAL(progress_bar::line("events", 1'234'567, 0, 10, 120), "1,234,567 events  123,456/s");
  CAF_CHECK_EQUAL(progress_bar::line("rules", 1, 10, 100, 120),
                  "██░░░░░░░░░░░░░░░░░░░░░░  1/10 rules  15 min 0 s left");
  CAF_CHECK_EQUAL(progress_bar::line("rules", 5, 10, 1, 20), "5/10 rules  5/s");
}

CAF_TEST(addresses of nodes are read with and without scheme and port) {
  CAF_CHECK_EQUAL(url_of("http://127.0.0.1:8000/"), "http://127.0.0.1:8000");
  CAF_CHECK_EQUAL(url_of("localhost:80"), "http://localhost:80");
  CAF_CHECK_EQUAL(authority_of("https://ops.example"), "ops.example:443");
  CAF_CHECK_EQUAL(authority_of("[::1]"), "[::1]:80");
  for (auto bad :
       {"", "http://", "ftp://x", "http://a b", "http://a/b", "http://u@h", "http://h:99999", "http://h:0", "::1"})
    CAF_CHECK(!parse_node_address(bad));
}
