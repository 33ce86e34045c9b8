#include "cluster/transport/certificates.hpp"

#include "cluster/transport/certificate_names.hpp"
#include "schemas/percent_encoding.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <memory>
#include <string_view>
#include <utility>

namespace tobit::cluster {

namespace {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* x) const noexcept {
    Free(x);
  }
};
using certificate_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free_all>>;
using extension_ptr = std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>>;
using alternatives_ptr = std::unique_ptr<GENERAL_NAMES, freed_by<GENERAL_NAMES_free>>;

/// RFC 6125 knows no name for a member of a private cluster, so it is a URI of our own, percent-encoded.
constexpr std::string_view name_scheme = "tobit-cluster://";
constexpr std::chrono::minutes clock_slack{10}; ///< the nodes' clocks may differ: valid this long before now
constexpr std::size_t common_name_max = 64;     ///< ub-common-name of RFC 5280

auto failed(const char* what) {
  return fail(error_code::internal_server_error, std::string("The cryptographic library failed to ") + what + ".");
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '-' ||
        byte == '.' || byte == '_' || byte == '~') {
      out.push_back(c);
    } else {
      out.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
  }
  return out;
}

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(bio, &bytes);
  return size > 0 ? std::string(bytes, static_cast<std::size_t>(size)) : std::string{};
}

bio_ptr reader(const std::string& text) { return bio_ptr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

result<key_pair> as_pem(X509* certificate, EVP_PKEY* key) {
  const bio_ptr cert_out(BIO_new(BIO_s_mem())), key_out(BIO_new(BIO_s_mem()));
  if (!cert_out || !key_out || PEM_write_bio_X509(cert_out.get(), certificate) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(key_out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return failed("write a certificate");
  return key_pair{text_of(cert_out.get()), text_of(key_out.get())};
}

bool extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const extension_ptr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

/// For people only; what counts is in the alternative name.
bool set_common_name(X509* certificate, std::string name) {
  if (name.size() > common_name_max) name.resize(common_name_max);
  for (char& c : name)
    if (c < 0x20 || c > 0x7e) c = '?';
  return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size()),
                                    -1, 0) == 1;
}

/// Version 3, a random serial number, valid from a little before now. Null: failed.
certificate_ptr blank(std::chrono::hours valid, EVP_PKEY* key) {
  certificate_ptr made(X509_new());
  std::array<unsigned char, 16> serial{};
  if (!made || RAND_bytes(serial.data(), static_cast<int>(serial.size())) != 1) return {};
  serial[0] = static_cast<unsigned char>((serial[0] & 0x7f) | 0x40); // positive and of full length
  std::unique_ptr<BIGNUM, freed_by<BN_free>> number(BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr));
  const auto until = std::time(nullptr) + std::chrono::seconds(valid).count();
  if (!number || !BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(made.get())) ||
      X509_set_version(made.get(), X509_VERSION_3) != 1 ||
      !X509_gmtime_adj(X509_getm_notBefore(made.get()), -std::chrono::seconds(clock_slack).count()) ||
      !ASN1_TIME_set(X509_getm_notAfter(made.get()), until) || X509_set_pubkey(made.get(), key) != 1)
    return {};
  return made;
}

std::chrono::system_clock::time_point until_of(const X509* certificate) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

} // namespace

result<key_pair> make_authority(const std::string& cluster_id, std::chrono::hours valid) {
  const key_ptr key(EVP_EC_gen("P-256"));
  if (!key) return failed("make a key");
  const auto made = blank(valid, key.get());
  if (!made || !set_common_name(made.get(), "Tobit cluster " + cluster_id) ||
      X509_set_issuer_name(made.get(), X509_get_subject_name(made.get())) != 1 ||
      !extend(made.get(), made.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
      !extend(made.get(), made.get(), NID_key_usage, "critical,keyCertSign,cRLSign") ||
      !extend(made.get(), made.get(), NID_subject_key_identifier, "hash") ||
      X509_sign(made.get(), key.get(), EVP_sha256()) == 0)
    return failed("make the certificate authority");
  return as_pem(made.get(), key.get());
}

result<key_pair> issue_certificate(const key_pair& authority, const std::string& cluster_id, const std::string& node,
                                   std::chrono::hours valid) {
  if (cluster_id.empty() || node.empty() || cluster_id.size() > certified_name_max || node.size() > certified_name_max)
    return fail(error_code::validation_error,
                "The names of a cluster and of a node have 1 to " + std::to_string(certified_name_max) + " bytes.");
  const auto issuer_in = reader(authority.certificate_pem), issuer_key_in = reader(authority.key_pem);
  const certificate_ptr issuer(PEM_read_bio_X509(issuer_in.get(), nullptr, nullptr, nullptr));
  const key_ptr issuer_key(PEM_read_bio_PrivateKey(issuer_key_in.get(), nullptr, nullptr, nullptr));
  if (!issuer || !issuer_key) return failed("read the certificate authority");
  const key_ptr key(EVP_EC_gen("P-256"));
  if (!key) return failed("make a key");
  const auto made = blank(valid, key.get());
  const auto name = "URI:" + std::string(name_scheme) + percent_encoded(cluster_id) + "/" + percent_encoded(node);
  if (!made || !set_common_name(made.get(), node) ||
      X509_set_issuer_name(made.get(), X509_get_subject_name(issuer.get())) != 1 ||
      !extend(made.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE") ||
      !extend(made.get(), issuer.get(), NID_key_usage, "critical,digitalSignature") ||
      !extend(made.get(), issuer.get(), NID_ext_key_usage, "serverAuth,clientAuth") ||
      !extend(made.get(), issuer.get(), NID_subject_key_identifier, "hash") ||
      !extend(made.get(), issuer.get(), NID_authority_key_identifier, "keyid:always") ||
      !extend(made.get(), issuer.get(), NID_subject_alt_name, name) ||
      X509_sign(made.get(), issuer_key.get(), EVP_sha256()) == 0)
    return failed("make a node's certificate");
  return as_pem(made.get(), key.get());
}

result<certified> names_of(const X509* certificate) {
  const alternatives_ptr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count; ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const auto* uri = name->d.uniformResourceIdentifier;
    std::string_view text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                          static_cast<std::size_t>(ASN1_STRING_length(uri)));
    if (!text.starts_with(name_scheme)) continue;
    text.remove_prefix(name_scheme.size());
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) continue;
    auto cluster_id = percent_decoded(text.substr(0, slash)), node = percent_decoded(text.substr(slash + 1));
    if (cluster_id.empty() || node.empty()) continue;
    return certified{std::move(cluster_id), std::move(node), until_of(certificate)};
  }
  return fail(error_code::validation_error,
              "The certificate does not name a cluster and a node; make one with `tobit cluster init`.");
}

result<certified> read_certificate(const std::string& pem) {
  const auto in = reader(pem);
  const certificate_ptr certificate(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
  if (!certificate) return fail(error_code::validation_error, "This is not a certificate in PEM form.");
  return names_of(certificate.get());
}

} // namespace tobit::cluster
