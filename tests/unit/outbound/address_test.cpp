#define CAF_SUITE address

#include "runtime/outbound/address.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit::outbound;

namespace {

bool public_address(const char* text) {
  const auto ip = parse_ip(text);
  CAF_REQUIRE(ip.has_value());
  return is_public(*ip);
}

} // namespace

CAF_TEST(addresses of the public internet may be reached) {
  for (auto text : {"1.1.1.1",
                    "8.8.8.8",
                    "9.255.255.255",
                    "11.0.0.0",
                    "100.63.255.255",
                    "100.128.0.0",
                    "126.255.255.255",
                    "128.0.0.1",
                    "169.253.255.255",
                    "169.255.0.0",
                    "172.15.255.255",
                    "172.32.0.0",
                    "192.167.255.255",
                    "192.169.0.0",
                    "198.17.255.255",
                    "198.20.0.0",
                    "223.255.255.255",
                    "2606:4700:4700::1111",
                    "2001:4860:4860::8888",
                    "2001:200::1",
                    "::ffff:8.8.8.8",
                    "64:ff9b::8.8.8.8",
                    "2002:808:808::1",
                    "2a00:1450::5efe:808:808"}) {
    CAF_MESSAGE(text);
    CAF_CHECK(public_address(text));
  }
}

CAF_TEST(private and reserved addresses are refused at both ends of their ranges) {
  for (auto text :
       {"0.0.0.0",         "0.255.255.255",   "10.0.0.0",       "10.255.255.255", "100.64.0.0",      "100.127.255.255",
        "127.0.0.1",       "127.255.255.255", "168.63.129.16",  "169.254.0.0",    "169.254.169.254", "169.254.255.255",
        "172.16.0.0",      "172.31.255.255",  "192.0.0.192",    "192.0.2.1",      "192.88.99.1",     "192.168.0.0",
        "192.168.255.255", "198.18.0.0",      "198.19.255.255", "198.51.100.7",   "203.0.113.7",     "224.0.0.1",
        "239.255.255.255", "240.0.0.1",       "255.255.255.255"}) {
    CAF_MESSAGE(text);
    CAF_CHECK(!public_address(text));
  }
  for (auto text :
       {"::", "::1", "::2", "100::1", "fc00::1", "fdff::1", "fd00:ec2::254", "fe80::1", "febf::1", "fec0::1", "ff02::1",
        "2001:db8::1", "2001::1", "2001:2::1", "2001:10::1", "3fff::1", "64:ff9b:1::1", "4000::1"}) {
    CAF_MESSAGE(text);
    CAF_CHECK(!public_address(text));
  }
}

CAF_TEST(an IPv6 address that leads to a refused IPv4 address is refused) {
  for (auto text : {"::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe",
                    "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:c0a8:101::1", "2a00:1450::5efe:7f00:1",
                    "2a00:1450::200:5efe:10.0.0.1"}) {
    CAF_MESSAGE(text);
    CAF_CHECK(!public_address(text));
  }
}

CAF_TEST(only the plain spellings of an address are read) {
  for (auto text : {"", "127.1", "0x7f.0.0.1", "0177.0.0.1", "2130706433", "127.0.0.1.", "127.0.0.256", "::g", "[::1",
                    "1.2.3.4 "}) {
    CAF_MESSAGE(text);
    CAF_CHECK(!parse_ip(text));
  }
  CAF_CHECK(parse_ip(std::string_view("127.0.0.1\0x", 11)) == std::nullopt);
  CAF_CHECK(parse_ip("[fe80::1%eth0]") == parse_ip("fe80::1"));
  CAF_CHECK_EQUAL(to_string(*parse_ip("::ffff:10.1.2.3")), "10.1.2.3");
}

CAF_TEST(a network contains what its prefix says) {
  const auto ten = parse_network("10.0.0.0/9").value();
  CAF_CHECK(ten.contains(*parse_ip("10.127.255.255")));
  CAF_CHECK(!ten.contains(*parse_ip("10.128.0.0")));
  CAF_CHECK(!ten.contains(*parse_ip("fd00::1")));
  CAF_CHECK(parse_network("0.0.0.0/0")->contains(*parse_ip("255.1.1.1")));
  CAF_CHECK(parse_network("fd00::/8")->contains(*parse_ip("fdff::1")));
  CAF_CHECK(parse_network("10.1.1.1")->contains(*parse_ip("::ffff:10.1.1.1")));
  for (auto text : {"10.0.0.0/33", "fd00::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "ten/8"})
    CAF_CHECK(!parse_network(text));
}
