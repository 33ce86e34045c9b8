#define CAF_SUITE address_guard

#include "runtime/outbound/address_guard.hpp"
#include "runtime/outbound/target_url.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::outbound;

namespace {

const guard_options closed;

error_code refusal_of(const guard_options& guard, std::string_view url) {
  const auto checked = check_url(guard, url);
  return checked ? error_code{} : checked.error().code;
}

} // namespace

CAF_TEST(an allow entry opens an address and nothing else) {
  const guard_options guard{
      {"127.0.0.1:9090", "10.0.0.0/8", "[::1]:8080", "Host.Example", "fd00::/8", "[fe80::7]", "intern:81"}};
  CAF_CHECK(address_allowed(guard, "127.0.0.1", 9090, "localhost"));
  CAF_CHECK(!address_allowed(guard, "127.0.0.1", 9091, "localhost"));
  CAF_CHECK(address_allowed(guard, "10.200.0.1", 80, "x"));
  CAF_CHECK(address_allowed(guard, "::ffff:10.200.0.1", 80, "x"));
  CAF_CHECK(!address_allowed({{"10.0.0.0/9"}}, "10.200.0.1", 80, "x"));
  CAF_CHECK(address_allowed(guard, "::1", 8080, "x"));
  CAF_CHECK(!address_allowed(guard, "::1", 80, "x"));
  CAF_CHECK(address_allowed(guard, "192.168.1.1", 443, "host.example."));
  CAF_CHECK(!address_allowed(guard, "192.168.1.1", 443, "other.host.example"));
  CAF_CHECK(address_allowed(guard, "fd12::1", 443, ""));
  CAF_CHECK(address_allowed(guard, "fe80::7", 443, ""));
  CAF_CHECK(address_allowed(guard, "172.16.0.1", 81, "INTERN"));
  CAF_CHECK(!address_allowed(guard, "172.16.0.1", 82, "INTERN"));
  CAF_CHECK(!address_allowed(guard, "not an address", 82, "x"));
}

CAF_TEST(a malformed allow entry is refused with the entry in the sentence) {
  for (auto text : {"", "http://x", "10.0.0.0/99", "a b", "host:0", "host:70000", "host:", ":80", "[127.0.0.1]:80",
                    "1.2.3", "10.0.0.300", "::1:80:zz", "*"}) {
    CAF_MESSAGE(text);
    const auto made = address_guard::make({{text}});
    CAF_CHECK(!made && made.error().code == error_code::configuration_error);
    CAF_CHECK(!made && made.error().message.find('\'' + std::string(text) + '\'') != std::string::npos);
  }
}

CAF_TEST(unusual spellings of refused addresses are refused without a lookup) {
  for (auto url : {"http://127.0.0.1/",
                   "http://2130706433/",
                   "http://0x7f000001/",
                   "http://0x7f.1/",
                   "http://0177.0.0.1/",
                   "http://127.1",
                   "http://%31%32%37.0.0.1/",
                   "http://127.0.0.1./",
                   "http://[::1]/",
                   "http://[::ffff:127.0.0.1]/",
                   "http://[::ffff:7f00:1]:80/",
                   "http://169.254.169.254/latest/meta-data/",
                   "http://2852039166/",
                   "http://localhost/",
                   "https://LOCALHOST:8443/",
                   "http://a.localhost/",
                   "http://localhost./",
                   "http://[fe80::1%25eth0]/",
                   "http://0/",
                   "http://10.1/"}) {
    CAF_MESSAGE(url);
    CAF_CHECK(refusal_of(closed, url) == error_code::address_refused);
  }
  CAF_CHECK(refusal_of(closed, "http://example.com/") == error_code{});
  CAF_CHECK(refusal_of(closed, "https://1.1.1.1:8443/x?y=1") == error_code{});
  CAF_CHECK(refusal_of({{"127.0.0.0/8"}}, "http://localhost:1234/") == error_code{});
  CAF_CHECK(refusal_of({{"localhost:1234"}}, "http://localhost:1235/") == error_code::address_refused);
}

CAF_TEST(what is not an http URL is a validation error) {
  for (auto url : {"", "/path", "example.com", "ftp://example.com/", "file:///etc/passwd", "gopher://x", "http://",
                   "http:///", "http://a b/", "http://h:99999/", "http://h:0/", "http://user:secret@example.com/",
                   "http://127.0.0.1\\@example.com/", "http://[::1/", "javascript:alert(1)", "http://a\r\nHost: b/"}) {
    CAF_MESSAGE(url);
    CAF_CHECK(refusal_of(closed, url) == error_code::validation_error);
  }
  CAF_CHECK(refusal_of(closed, "http://x/" + std::string(9'000, 'a')) == error_code::validation_error);
  CAF_CHECK(refusal_of(closed, std::string_view("http://example.com\0.evil/", 25)) == error_code::validation_error);
}

CAF_TEST(a target says where it goes) {
  const auto target = parse_target("https://Example.COM./x").value();
  CAF_CHECK_EQUAL(target.host, "example.com");
  CAF_CHECK_EQUAL(target.port, 443);
  const auto v6 = parse_target("http://[2606:4700::1]:8080/").value();
  CAF_CHECK_EQUAL(v6.authority, "[2606:4700::1]:8080");
}
