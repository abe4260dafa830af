// The public keys that JSON Web Tokens are signed with.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace ddsp::server {

struct JwtKey {
  std::string id;   // "kid"; empty: it has none
  std::string pem;  // of the public key
};

// Reads a public key in PEM, or a JWKS (RFC 7517), of which other keys than those that can sign with `algorithm`
// ("RS256", "ES256", ...) are passed over. Errors: INVALID_ARGUMENT for text that is neither, and for no key that fits:
// RSA of 2048 bits or more, or the curve of the algorithm.
absl::StatusOr<std::vector<JwtKey>> ReadJwtKeys(const std::string& text, const std::string& algorithm);

}  // namespace ddsp::server
