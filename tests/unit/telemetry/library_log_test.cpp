#define CAF_SUITE library_log

#include "runtime/telemetry/library_log.hpp"

#include <caf/test/unit_test.hpp>
#include <spdlog/spdlog.h>

using namespace tobit::telemetry;

CAF_TEST(a line is taken apart into key fields and sentence) {
  const auto line = parse_line("entity_crashed entity=rule/t/k error=\"it broke badly\" trace=ab: another one tries");
  CAF_CHECK_EQUAL(line.key, "entity_crashed");
  CAF_CHECK_EQUAL(line.prose, "another one tries");
  CAF_REQUIRE_EQUAL(line.fields.size(), 3u);
  CAF_CHECK_EQUAL(line.fields[0].second, "rule/t/k");
  CAF_CHECK_EQUAL(line.fields[1].second, "it broke badly");
  for (auto odd : {"", " ", "key", "key: ", "a =b", "a b=", "a b=\"", "a b=\"\"", "a b=\"c\"d", "=", "a ="})
    (void)parse_line(odd);
  CAF_CHECK_EQUAL(parse_line("a b=\"open end").prose, "end");
}

CAF_TEST(what rooms write through spdlog arrives in the log with secrets masked) {
  memory_log log(log_level::info);
  adopt_library_log(log);
  spdlog::warn("storage.reopen_failed next_ms={} {}", 250, "postgresql://u:hunter2@db refused");
  spdlog::debug("storage.step");
  release_library_log(log);
  const auto lines = log.lines();
  CAF_REQUIRE_EQUAL(lines.size(), 1u);
  CAF_CHECK_EQUAL(lines.front(), "warning storage.reopen_failed \"postgresql://u:***@db refused\" next_ms=250");
}
