// Certificates and keys that tests make for themselves, on P-256: a key takes no time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "jwt.h"
#include "openssl/evp.h"
#include "openssl/x509.h"

namespace ddsp::testing {

struct PemPair {
  std::string certificate, key;
};

// Signs what it is asked to.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name);

  // "DNS:localhost", "IP:127.0.0.1", "URI:spiffe://test/worker".
  PemPair Issue(const std::string& name, const std::vector<std::string>& alternative_names) const;
  const std::string& certificate() const { return pem_; }

 private:
  std::shared_ptr<EVP_PKEY> key_;
  std::shared_ptr<X509> certificate_;
  std::string pem_;
};

std::shared_ptr<EVP_PKEY> MakeCurveKey();
std::shared_ptr<EVP_PKEY> MakeRsaKey(unsigned bits);
std::string PrivatePem(EVP_PKEY* key);
std::string PublicPem(EVP_PKEY* key);

// A JSON Web Token as its issuer makes it. `key` is a private key in PEM, or a secret for HS256.
std::string SignToken(const std::string& claims, jwt_alg_t algorithm, const std::string& key,
                      const std::string& kid = "");

// Replaces the file.
void WriteText(const std::string& path, const std::string& text);
// A folder of the test's own, empty.
std::string FreshFolder(const std::string& name);

}  // namespace ddsp::testing
