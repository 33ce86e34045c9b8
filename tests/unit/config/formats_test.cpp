#define CAF_SUITE formats

#include "config/formats.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit::config;
using namespace std::chrono_literals;

CAF_TEST(durations are read with units and bare numbers are seconds) {
  CAF_CHECK(parse_duration("500ms") == duration_value(500ms));
  CAF_CHECK(parse_duration("30") == duration_value(30s));
  CAF_CHECK(parse_duration("1h30m") == duration_value(90min));
  CAF_CHECK(parse_duration("7d") == duration_value(168h));
  for (auto bad : {"", "s", "-1s", "1.5s", "1 s", "1h30", "5x", "99999999999999d", "9223372036854775807s", "1s,"})
    CAF_CHECK_EQUAL(std::string(bad) + (parse_duration(bad) ? " taken" : ""), bad);
}

CAF_TEST(a duration is written in the form that reads back the same) {
  for (auto text : {"0s", "500ms", "90s", "1m", "5m", "36h", "7d", "1us"})
    CAF_CHECK_EQUAL(format_duration(parse_duration(text).value()), text);
}

CAF_TEST(sizes are powers of 1024) {
  CAF_CHECK(parse_size("64KB") == 65'536);
  CAF_CHECK(parse_size("64KiB") == 65'536);
  CAF_CHECK(parse_size("10 MB") == 10'485'760);
  CAF_CHECK(parse_size("512") == 512);
  for (auto bad : {"", "MB", "-1", "1.5MB", "1TB", "1mb", "99999999999GB"})
    CAF_CHECK_EQUAL(std::string(bad) + (parse_size(bad) ? " taken" : ""), bad);
  for (auto text : {"0B", "1000B", "32KB", "10MB", "4GB"}) CAF_CHECK_EQUAL(format_size(parse_size(text).value()), text);
}

CAF_TEST(booleans and integers take nothing but themselves) {
  CAF_CHECK(parse_boolean("Yes") == true);
  CAF_CHECK(parse_boolean("off") == false);
  for (auto bad : {"", "2", "truee", "y"}) CAF_CHECK(!parse_boolean(bad));
  CAF_CHECK(parse_integer("-5") == -5);
  for (auto bad : {"", "5 ", "0x5", "1e3", "99999999999999999999"}) CAF_CHECK(!parse_integer(bad));
}

CAF_TEST(a listening address has a numeric host and a port) {
  CAF_CHECK_EQUAL(parse_host_port("[::1]:8000")->host, "::1");
  CAF_CHECK_EQUAL(parse_host_port("127.0.0.1:0")->port, 0);
  for (auto good : {"127.0.0.1:8000", "0.0.0.0:80", "[::]:0", "localhost:65535"})
    CAF_CHECK(!format_violation("host:port", good));
  for (auto bad : {"", "8000", ":8000", "127.0.0.1", "127.0.0.1:65536", "::1:80", "[]:80", "host.example:80",
                   "127.0.0.1:-1", "1.2.3:80"})
    CAF_CHECK(format_violation("host:port", bad));
}

CAF_TEST(only zones that the system knows are time zones) {
  CAF_CHECK(!format_violation("timezone", "Asia/Seoul"));
  CAF_CHECK(!format_violation("timezone", "UTC"));
  for (auto bad : {"", "Asia/Soul", "../../../etc/passwd", "/etc/passwd", "Asia", "KST9"})
    CAF_CHECK(format_violation("timezone", bad));
}

CAF_TEST(addresses of services are checked for their shape) {
  for (auto good : {"postgresql://u:p@h/db", "postgres://h", "/var/lib/tobit.db"})
    CAF_CHECK(!format_violation("database-url", good));
  for (auto bad : {"mysql://h/db", "postgresql://", "http://h"}) CAF_CHECK(format_violation("database-url", bad));
  CAF_CHECK(!format_violation("url", "http://127.0.0.1:4318/v1/traces"));
  for (auto bad : {"", "ftp://h", "http://", "http:///x", "http://a b"}) CAF_CHECK(format_violation("url", bad));
  CAF_CHECK(!format_violation("origin", "https://ops.example:8443"));
  for (auto bad : {"*", "https://ops.example/", "ops.example"}) CAF_CHECK(format_violation("origin", bad));
}

CAF_TEST(a list is split at commas and trimmed) {
  CAF_CHECK_EQUAL(split_list(" a , b,,c ").size(), 3u);
  CAF_CHECK_EQUAL(split_list(" a , b").at(1), "b");
  CAF_CHECK(split_list(" , ").empty());
}
