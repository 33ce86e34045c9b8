#define CAF_SUITE certificates

#include "cluster/transport/certificates.hpp"

#include <caf/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace tobit;
using namespace tobit::cluster;
using std::chrono::hours;

CAF_TEST(a certificate names the cluster and the node it was issued for) {
  const auto authority = make_authority("c-1", hours(48));
  CAF_REQUIRE(authority.has_value());
  const auto issued = issue_certificate(*authority, "c-1", "node-a", hours(24));
  CAF_REQUIRE(issued.has_value());
  const auto read = read_certificate(issued->certificate_pem);
  CAF_REQUIRE(read.has_value());
  CAF_CHECK_EQUAL(read->cluster_id, "c-1");
  CAF_CHECK_EQUAL(read->node, "node-a");
  const auto left = read->until - std::chrono::system_clock::now();
  CAF_CHECK(left > hours(23) && left <= hours(24));
  CAF_CHECK(issued->key_pem.find("PRIVATE KEY") != std::string::npos);
}

CAF_TEST(any name survives the certificate) {
  const auto authority = make_authority("c-1", hours(48));
  CAF_REQUIRE(authority.has_value());
  const std::vector<std::string> names{"a,b", "DNS:x,URI:tobit-cluster://c-1/other", "ü / %41", "\xff\xfe\n",
                                       std::string(100, 'n')};
  for (const auto& name : names) {
    const auto issued = issue_certificate(*authority, "c/1 ü", name, hours(1));
    CAF_REQUIRE(issued.has_value());
    const auto read = read_certificate(issued->certificate_pem);
    CAF_REQUIRE(read.has_value());
    CAF_CHECK_EQUAL(read->node, name);
    CAF_CHECK_EQUAL(read->cluster_id, "c/1 ü");
  }
}

CAF_TEST(what is not a node certificate is refused) {
  const auto authority = make_authority("c-1", hours(48));
  CAF_REQUIRE(authority.has_value());
  for (const std::string& pem : {authority->certificate_pem, authority->key_pem, std::string("junk"), std::string{}}) {
    const auto read = read_certificate(pem);
    CAF_REQUIRE(!read.has_value());
    CAF_CHECK(read.error().code == error_code::validation_error);
  }
  CAF_CHECK(!issue_certificate({"junk", "junk"}, "c-1", "a", hours(1)).has_value());
  CAF_CHECK(!issue_certificate(*authority, "c-1", "", hours(1)).has_value());
  CAF_CHECK(!issue_certificate(*authority, std::string(101, 'c'), "a", hours(1)).has_value());
}

CAF_TEST(every certificate has a key and a serial number of its own) {
  const auto authority = make_authority("c-1", hours(48));
  CAF_REQUIRE(authority.has_value());
  const auto one = issue_certificate(*authority, "c-1", "a", hours(1));
  const auto two = issue_certificate(*authority, "c-1", "a", hours(1));
  CAF_CHECK(one->certificate_pem != two->certificate_pem);
  CAF_CHECK(one->key_pem != two->key_pem);
}
