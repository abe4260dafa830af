#include "tests/server/security/test_pki.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_join.h"
#include "gtest/gtest.h"

namespace ddsp::testing {
namespace {

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}

std::string CertificatePem(X509* certificate) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  return TextOf(bio);
}

void AddExtension(X509* certificate, int kind, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Not signed yet.
std::shared_ptr<X509> Blank(const std::string& name, EVP_PKEY* key) {
  static std::atomic<long> serial = 1;
  std::shared_ptr<X509> certificate(X509_new(), X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return certificate;
}

}  // namespace

std::shared_ptr<EVP_PKEY> MakeCurveKey() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }
std::shared_ptr<EVP_PKEY> MakeRsaKey(unsigned bits) { return {EVP_RSA_gen(bits), EVP_PKEY_free}; }

std::string PrivatePem(EVP_PKEY* key) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  return TextOf(bio);
}

std::string PublicPem(EVP_PKEY* key) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(bio, key);
  return TextOf(bio);
}

TestAuthority::TestAuthority(const std::string& name) : key_(MakeCurveKey()), certificate_(Blank(name, key_.get())) {
  X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
  AddExtension(certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(certificate_.get(), key_.get(), EVP_sha256());
  pem_ = CertificatePem(certificate_.get());
}

PemPair TestAuthority::Issue(const std::string& name, const std::vector<std::string>& alternative_names) const {
  const std::shared_ptr<EVP_PKEY> key = MakeCurveKey();
  const std::shared_ptr<X509> certificate = Blank(name, key.get());
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate_.get()));
  AddExtension(certificate.get(), NID_subject_alt_name, absl::StrJoin(alternative_names, ","));
  X509_sign(certificate.get(), key_.get(), EVP_sha256());
  return {.certificate = CertificatePem(certificate.get()), .key = PrivatePem(key.get())};
}

std::string SignToken(const std::string& claims, jwt_alg_t algorithm, const std::string& key, const std::string& kid) {
  jwt_t* token = nullptr;
  jwt_new(&token);
  if (!kid.empty()) jwt_add_header(token, "kid", kid.c_str());
  jwt_add_grants_json(token, claims.c_str());
  jwt_set_alg(token, algorithm,
              algorithm == JWT_ALG_NONE ? nullptr : reinterpret_cast<const unsigned char*>(key.data()),
              algorithm == JWT_ALG_NONE ? 0 : static_cast<int>(key.size()));
  char* text = jwt_encode_str(token);
  std::string signed_token = text == nullptr ? "" : text;
  free(text);
  jwt_free(token);
  return signed_token;
}

void WriteText(const std::string& path, const std::string& text) {
  // Another file under the same name, as secrets are replaced: the time of a change alone is too coarse for a test.
  std::ofstream(path + ".new") << text;
  std::filesystem::rename(path + ".new", path);
}

std::string FreshFolder(const std::string& name) {
  const std::filesystem::path folder = std::filesystem::path(::testing::TempDir()) / name;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder.string();
}

}  // namespace ddsp::testing
