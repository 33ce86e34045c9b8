#define CAF_SUITE edge_tls

#include "edge_client.hpp"

#include <caf/test/unit_test.hpp>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstdio>
#include <filesystem>

using namespace tobit;
using namespace tobit::http;
using namespace tobit::http::tests;
using namespace std::chrono_literals;

namespace {

/// A fresh key with a certificate it signed itself, as PEM files that go with the fixture.
struct own_certificate {
  std::filesystem::path folder, certificate, key;

  own_certificate() {
    std::string pattern = std::filesystem::temp_directory_path() / "tobit-tls-XXXXXX";
    folder = ::mkdtemp(pattern.data());
    certificate = folder / "cert.pem";
    key = folder / "key.pem";
    EVP_PKEY* pair = EVP_EC_gen("P-256");
    X509* made = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    X509_gmtime_adj(X509_getm_notBefore(made), 0);
    X509_gmtime_adj(X509_getm_notAfter(made), 3600);
    X509_set_pubkey(made, pair);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(made, X509_get_subject_name(made));
    X509_sign(made, pair, EVP_sha256());
    if (FILE* out = std::fopen(certificate.c_str(), "w")) {
      PEM_write_X509(out, made);
      std::fclose(out);
    }
    if (FILE* out = std::fopen(key.c_str(), "w")) {
      PEM_write_PrivateKey(out, pair, nullptr, nullptr, 0, nullptr, nullptr);
      std::fclose(out);
    }
    X509_free(made);
    EVP_PKEY_free(pair);
  }
  ~own_certificate() { std::filesystem::remove_all(folder); }
};

struct tls_fixture : edge_fixture {
  own_certificate files;
  tls_fixture() {
    options.certificate_file = files.certificate;
    options.private_key_file = files.key;
  }
};

/// A blocking TLS client over a connected socket.
class tls_client {
public:
  explicit tls_client(raw_client& wire, int version_max = 0) : context_(SSL_CTX_new(TLS_client_method())) {
    if (version_max != 0) SSL_CTX_set_max_proto_version(context_, version_max);
    session_ = SSL_new(context_);
    SSL_set_fd(session_, wire.handle());
  }
  ~tls_client() {
    SSL_free(session_);
    SSL_CTX_free(context_);
  }
  tls_client(const tls_client&) = delete;
  tls_client& operator=(const tls_client&) = delete;

  bool shake_hands() { return SSL_connect(session_) == 1; }
  bool send(std::string_view bytes) { return SSL_write(session_, bytes.data(), static_cast<int>(bytes.size())) > 0; }
  /// Reads until `text` has come, or the end.
  std::string receive_until(std::string_view text) {
    std::string got;
    char bytes[16384];
    while (got.find(text) == std::string::npos) {
      const int count = SSL_read(session_, bytes, sizeof bytes);
      if (count <= 0) return got;
      got.append(bytes, static_cast<std::size_t>(count));
    }
    return got;
  }
  bool ended_cleanly() {
    char byte;
    const int count = SSL_read(session_, &byte, 1);
    return count <= 0 && SSL_get_error(session_, count) == SSL_ERROR_ZERO_RETURN;
  }
  const char* version() const { return SSL_get_version(session_); }

private:
  SSL_CTX* context_;
  SSL* session_ = nullptr;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(edge_tls_tests, tls_fixture)

CAF_TEST(requests are served over TLS) {
  raw_client wire{start()};
  tls_client client{wire};
  CAF_REQUIRE(client.shake_hands());
  CAF_CHECK_EQUAL(std::string{client.version()}, "TLSv1.3");
  for (int i = 0; i < 10; ++i) {
    CAF_REQUIRE(client.send(get("/hello")));
    CAF_CHECK(client.receive_until("hello\"}").starts_with("HTTP/1.1 200 OK"));
  }
  CAF_CHECK(handler.last->secure);
  CAF_REQUIRE(client.send(get("/big")));
  CAF_CHECK(client.receive_until(std::string(8'000'000, 'x')).size() > 8'000'000);
  CAF_REQUIRE(client.send(post("/size", std::string(1'000'000, 'a'), "Connection: close\r\n")));
  CAF_CHECK(client.receive_until("\r\n\r\n1000000").ends_with("1000000"));
  CAF_CHECK(client.ended_cleanly());
}

CAF_TEST(TLS before 1 2 and plain bytes are refused) {
  const auto port = start();
  raw_client old_wire{port};
  tls_client old{old_wire, TLS1_1_VERSION};
  CAF_CHECK(!old.shake_hands());
  raw_client plain{port};
  CAF_REQUIRE(plain.send(get("/hello")));
  CAF_CHECK(plain.is_closed_by_peer());
  raw_client next_wire{port};
  tls_client next{next_wire, TLS1_2_VERSION};
  CAF_CHECK(next.shake_hands());
}

CAF_TEST(a handshake that does not end is cut while others are served) {
  options.head_time = 200ms;
  const auto port = start();
  raw_client silent{port}, wire{port};
  tls_client client{wire};
  CAF_REQUIRE(client.shake_hands());
  CAF_REQUIRE(client.send(get("/hello")));
  CAF_CHECK(client.receive_until("hello\"}").starts_with("HTTP/1.1 200 OK"));
  CAF_CHECK(silent.is_closed_by_peer());
}

CAF_TEST(certificates that cannot be used are named) {
  const auto failure = [&] { return std::string{start_server(options, handler).error().text()}; };
  options.certificate_file = "/nowhere/cert.pem";
  CAF_CHECK(failure().find("/nowhere/cert.pem") != std::string::npos);
  options.certificate_file = files.certificate;
  const own_certificate other;
  options.private_key_file = other.key;
  CAF_CHECK(failure().find("mismatch") != std::string::npos);
  options.private_key_file.clear();
  CAF_CHECK(failure().find("both") != std::string::npos);
}

CAF_TEST(an address that is taken or wrong is named) {
  options.port = start();
  CAF_CHECK(start_server(options, handler).error().code == error_code::configuration_error);
  options.address = "example.org";
  CAF_CHECK(start_server(options, handler).error().text().find("numeric") != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
