#define CAF_SUITE link_refusals

#include "cluster/transport/greeting.hpp"
#include "link_fixture.hpp"
#include "raw_client.hpp"

#include <caf/test/unit_test.hpp>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>

using namespace tobit;
using namespace tobit::testing;

namespace {

cluster::link_options with_tls() {
  auto options = quick_links();
  options.plain = false;
  return options;
}

/// Knocks with TLS by hand: the files may be empty, expired or somebody else's. Tells what was answered to `greeting`.
std::string knock(const std::string& address, const std::string& certificate, const std::string& key,
                  const std::string& greeting) {
  raw_client client(address);
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  if (!certificate.empty()) {
    SSL_CTX_use_certificate_file(context, certificate.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM);
  }
  timeval limit{5, 0};
  ::setsockopt(client.fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, client.fd());
  std::string answer;
  if (SSL_connect(ssl) == 1 && SSL_write(ssl, greeting.data(), static_cast<int>(greeting.size())) > 0) {
    char buffer[4'096];
    for (int n = 0; (n = SSL_read(ssl, buffer, sizeof buffer)) > 0;) answer.append(buffer, static_cast<std::size_t>(n));
  }
  SSL_free(ssl);
  SSL_CTX_free(context);
  return answer;
}

std::string hello_of(const std::string& node, incarnation_no incarnation, incarnation_no to,
                     const std::string& cluster_id = "c-1") {
  return cluster::encode_greeting(cluster::said_hello{{cluster_id, node, incarnation, 1, 1, "test", 0, 0}, {to, {}}});
}

/// Both dial each other's way until the refusal was told on both sides; nobody is ever linked.
void refused_on_both_sides(link_node& a, link_node& b, const std::string& reason_a, const std::string& reason_b) {
  a.live_as(1);
  b.live_as(2);
  a.connect(b);
  b.connect(a);
  CAF_CHECK(a.diary.wait_for_refusal(reason_a));
  CAF_CHECK(b.diary.wait_for_refusal(reason_b));
  CAF_CHECK(b.diary.wait_for("unlinked", 1));
  CAF_CHECK_EQUAL(a.diary.count("linked", 2), 0u);
  CAF_CHECK_EQUAL(b.diary.count("linked", 1), 0u);
  for (auto* n : {&a, &b})
    for (const auto& l : n->diary.lines())
      if (l.what == "refused") {
        CAF_MESSAGE(n->name << ": " << l.text << ": " << l.sentence);
        CAF_CHECK(l.sentence.size() > 20);
      }
}

} // namespace

CAF_TEST(a certificate of another authority is refused on both sides) {
  certificate_folder ours("c-1"), theirs("c-1");
  auto for_a = with_tls(), for_b = with_tls();
  ours.use(for_a, "a");
  theirs.use(for_b, "b");
  link_node a("a", for_a), b("b", for_b);
  refused_on_both_sides(a, b, "wrong_certificate", "wrong_certificate");
}

CAF_TEST(a node of another cluster is refused on both sides) {
  link_node a("a"), b("b", quick_links(), "c-2");
  refused_on_both_sides(a, b, "wrong_cluster", "wrong_cluster");
}

CAF_TEST(an incompatible protocol is refused on both sides) {
  link_node a("a"), b("b");
  b.protocol_min = 7;
  b.protocol_max = 9;
  refused_on_both_sides(a, b, "protocol_incompatible", "protocol_incompatible");
}

CAF_TEST(the address of another node is refused on both sides) {
  link_node a("a"), b("b");
  a.live_as(1);
  b.live_as(2);
  b.links->connect(1, "c", a.links->address());
  a.connect(b);
  CAF_CHECK(a.diary.wait_for_refusal("wrong_node"));
  CAF_CHECK(b.diary.wait_for_refusal("wrong_node"));
  CAF_CHECK_EQUAL(a.diary.count("linked", 2), 0u);
}

CAF_TEST(TLS and plain do not understand each other and say so) {
  certificate_folder folder("c-1");
  auto for_a = with_tls();
  folder.use(for_a, "a");
  {
    link_node a("a", for_a), b("b");
    a.live_as(1);
    b.live_as(2);
    b.connect(a);
    CAF_CHECK(a.diary.wait_for_refusal("garbage"));
    CAF_CHECK(b.diary.wait_for("unlinked", 1)); // TLS has no words for this, so only a hint is possible
    CAF_CHECK(b.links->status()[0].last_error.find("TLS") != std::string::npos);
  }
  link_node a("a");
  auto for_b = with_tls();
  folder.use(for_b, "b");
  link_node b("b", for_b);
  refused_on_both_sides(a, b, "garbage", "garbage");
}

CAF_TEST(certificates of somebody else or of nobody do not pass) {
  certificate_folder folder("c-1");
  auto for_a = with_tls(), for_x = with_tls(), expired = with_tls();
  folder.use(for_a, "a");
  folder.use(for_x, "x");
  folder.use(expired, "b", std::chrono::hours(-1));
  const auto elsewhere = cluster::issue_certificate(folder.authority(), "c-2", "b", std::chrono::hours(1));
  link_node a("a", for_a);
  a.live_as(1);
  a.links->connect(2, "b", "127.0.0.1:1");
  const auto reasons = [&](const std::string& certificate, const std::string& key) {
    return knock(a.links->address(), certificate, key, hello_of("b", 2, 1));
  };
  CAF_CHECK(reasons(for_x.certificate_file, for_x.key_file).find("wrong_node") != std::string::npos);
  CAF_CHECK(a.diary.wait_for_refusal("wrong_node"));
  const auto before = a.diary.lines().size();
  CAF_CHECK_EQUAL(reasons("", ""), "");
  CAF_CHECK(a.diary.wait_for_refusal("wrong_certificate"));
  CAF_CHECK_EQUAL(reasons(expired.certificate_file, expired.key_file), ""); // told with the next one of this kind
  CAF_CHECK_EQUAL(a.diary.lines().size(), before + 1);
  link_node fresh("a", for_a);
  fresh.live_as(1);
  CAF_CHECK_EQUAL(knock(fresh.links->address(), expired.certificate_file, expired.key_file, hello_of("b", 2, 1)), "");
  CAF_CHECK(fresh.diary.wait([](const auto& lines) {
    return std::any_of(lines.begin(), lines.end(),
                       [](const auto& l) { return l.sentence.find("expired") != std::string::npos; });
  }));
  // The right certificate, by the same hand, gets through to the greeting.
  auto for_b = with_tls();
  folder.use(for_b, "b");
  link_node b("b", for_b);
  b.live_as(2);
  CAF_CHECK(join(fresh, b));
}

CAF_TEST(wrong files are refused when the links are opened and say what to do) {
  certificate_folder folder("c-1"), others("c-1");
  auto good = with_tls();
  folder.use(good, "a");
  const auto failure = [](const cluster::link_options& options, const std::string& node = "a",
                          const std::string& cluster_id = "c-1") {
    return link_node(node, options, cluster_id).failure;
  };
  CAF_CHECK_EQUAL(failure(good), "");
  auto options = good;
  options.authority_file = "/nowhere/authority.pem";
  CAF_CHECK(failure(options).find("/nowhere/authority.pem") != std::string::npos);
  options = good;
  options.authority_file = others.authority_file();
  CAF_CHECK(failure(options).find("signed by the authority") != std::string::npos);
  options = good;
  options.key_file = options.certificate_file;
  CAF_CHECK(failure(options).find("key") != std::string::npos);
  options = good;
  folder.use(options, "z");
  options.certificate_file = good.certificate_file;
  CAF_CHECK(failure(options).find("key") != std::string::npos); // of another certificate
  CAF_CHECK(failure(good, "b").find("node 'a'") != std::string::npos);
  CAF_CHECK(failure(good, "a", "c-9").find("cluster 'c-1'") != std::string::npos);
  auto expired = with_tls();
  folder.use(expired, "a", std::chrono::hours(-1));
  CAF_CHECK(failure(expired).find("expired") != std::string::npos);
}

CAF_TEST(plain connections are for this machine only) {
  auto options = quick_links();
  options.listen = "0.0.0.0:0";
  CAF_CHECK(link_node("a", options).failure.find("TLS") != std::string::npos);
  options.listen = "localhost:0";
  CAF_CHECK(!link_node("a", options).failure.empty());
  link_node a("a");
  a.live_as(2);
  a.links->connect(1, "b", "192.0.2.1:4370"); // TEST-NET-1: must not even be tried
  CAF_CHECK(a.diary.wait_for("unlinked", 1, 2, 1s));
  CAF_CHECK(a.links->status()[0].last_error.find("TLS") != std::string::npos);
}

CAF_TEST(an address that is taken is refused with its reason) {
  link_node a("a");
  auto options = quick_links();
  options.listen = a.links->address();
  CAF_CHECK(link_node("b", options).failure.find("in use") != std::string::npos);
}
