#define CAF_SUITE postgres_url

#include "runtime/storage/database.hpp"
#include "runtime/storage/postgres_url.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::storage;

namespace {

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

} // namespace

CAF_TEST(a url is shown without user and password and parameters) {
  CAF_CHECK_EQUAL(without_secrets("postgresql://me:secret@db.example:5432/tobit?sslmode=require&password=x"),
                  "postgresql://db.example:5432/tobit");
  CAF_CHECK_EQUAL(without_secrets("postgresql:///tobit"), "postgresql:///tobit");
  CAF_CHECK(!holds(without_secrets("postgresql://me:p@ss/w?rd@host/db"), "ss/w"));
}

CAF_TEST(a password is taken out of any text as written and decoded) {
  const std::string url = "postgresql://me:s%40cret@host/db?password=other&sslpassword=third";
  const auto text = redact("failed for s@cret and s%40cret, other, third, " + url, url);
  for (std::string_view secret : {"s@cret", "s%40cret", "other", "third"}) CAF_CHECK(!holds(text, secret));
}

CAF_TEST(a parameter is added once) {
  CAF_CHECK_EQUAL(with_parameter("postgresql://h/d", "a", "1"), "postgresql://h/d?a=1");
  CAF_CHECK_EQUAL(with_parameter("postgresql://h/d?b=2", "a", "1"), "postgresql://h/d?b=2&a=1");
  CAF_CHECK_EQUAL(with_parameter("postgresql://h/d?a=2", "a", "1"), "postgresql://h/d?a=2");
}

CAF_TEST(a server that cannot be reached is an error without the password) {
  for (std::string url : {"postgresql://me:topsecret@127.0.0.1:1/db", "postgresql://me:topsecret@127.0.0.1:notaport/db",
                          "postgresql://me:topsecret@127.0.0.1:1/db?nonsense=topsecret"}) {
    auto opened = open_postgres(url);
    CAF_REQUIRE(!opened);
    CAF_CHECK_EQUAL(opened.error().code, error_code::connection_error);
    CAF_CHECK(!holds(opened.error().message, "topsecret"));
    CAF_CHECK(holds(opened.error().message, "check that the server runs"));
  }
}
