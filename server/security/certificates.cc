#include "server/security/certificates.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"

namespace ddsp::server {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using BioPtr = std::unique_ptr<BIO, Free>;
using CertificatePtr = std::unique_ptr<X509, Free>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Free>;

BioPtr Open(const std::string& pem) { return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); }

// Nobody is asked for a pass phrase, at the terminal neither: OpenSSL would wait there.
int NoPassPhrase(char*, int, int, void*) { return -1; }

CertificatePtr FirstCertificate(const std::string& pem) {
  CertificatePtr found(PEM_read_bio_X509(Open(pem).get(), nullptr, NoPassPhrase, nullptr));
  ERR_clear_error();
  return found;
}

KeyPtr PrivateKey(const std::string& pem) {
  KeyPtr found(PEM_read_bio_PrivateKey(Open(pem).get(), nullptr, NoPassPhrase, nullptr));
  ERR_clear_error();
  return found;
}

absl::Status Wrong(const char* flag, const std::string& file, const char* problem) {
  return absl::InvalidArgumentError(absl::StrCat(flag, " '", file, "' ", problem));
}

absl::StatusOr<std::string> Read(const char* flag, const std::string& file) {
  absl::StatusOr<std::string> text = ReadFile(file);
  if (text.ok()) return text;
  return absl::Status(text.status().code(), absl::StrCat(flag, ": ", text.status().message()));
}

}  // namespace

absl::StatusOr<Certificates> ReadCertificates(const TlsOptions& options) {
  Certificates read;
  ASSIGN_OR_RETURN(read.chain, Read("--tls-cert", options.cert_file));
  ASSIGN_OR_RETURN(read.key, Read("--tls-key", options.key_file));
  const CertificatePtr leaf = FirstCertificate(read.chain);
  const KeyPtr key = PrivateKey(read.key);
  if (leaf == nullptr) return Wrong("--tls-cert", options.cert_file, "holds no certificate in PEM");
  if (key == nullptr) return Wrong("--tls-key", options.key_file, "holds no private key in PEM without a pass phrase");
  if (X509_check_private_key(leaf.get(), key.get()) != 1) {
    ERR_clear_error();
    return Wrong("--tls-key", options.key_file, "is not the key of the certificate of --tls-cert");
  }
  if (options.client_ca_file.empty()) return read;
  ASSIGN_OR_RETURN(read.client_ca, Read("--tls-client-ca", options.client_ca_file));
  if (FirstCertificate(read.client_ca) == nullptr) {
    return Wrong("--tls-client-ca", options.client_ca_file, "holds no certificate in PEM");
  }
  return read;
}

std::optional<Certificates> CertificateSource::News() {
  const MutexLock lock(&mu_);
  if (!files_.Changed() && !first_) return std::nullopt;
  absl::StatusOr<Certificates> read = ReadCertificates(options_);
  if (!read.ok()) {
    say_(absl::StrCat("certificates stay as they were: ", read.status().message()));
    return std::nullopt;
  }
  if (!std::exchange(first_, false)) say_(absl::StrCat("new certificate from ", options_.cert_file));
  return *std::move(read);
}

}  // namespace ddsp::server
