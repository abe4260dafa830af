// JSON Web Tokens of somebody else's making: whether they hold, and whom they name.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/security/jwt_keys.h"
#include "server/security/principal.h"
#include "server/security/security_options.h"

namespace ddsp::server {

// Two strings between dots follow the first: no key of ours looks like that.
bool LooksLikeJwt(std::string_view token);

class JwtVerifier {
 public:
  // `keys_text` is what options.keys_file holds. Errors: INVALID_ARGUMENT for an algorithm that is not asymmetric or is
  // unknown, for no issuer or audience, and those of ReadJwtKeys().
  static absl::StatusOr<JwtVerifier> Create(const JwtOptions& options, const std::string& keys_text);

  // Without limits: those are of the tenant. Errors: UNAUTHENTICATED that says why, never what the token holds.
  // A token must be signed with the algorithm of the options, have an `exp` that is not past and no `nbf` that is to
  // come, and be for this issuer and audience.
  absl::StatusOr<Principal> Verify(const std::string& token, absl::Time now) const;

 private:
  JwtVerifier(const JwtOptions& options, std::vector<JwtKey> keys) : options_(options), keys_(std::move(keys)) {}
  absl::StatusOr<std::string> KeyFor(const std::string& header) const;

  JwtOptions options_;
  std::vector<JwtKey> keys_;
};

}  // namespace ddsp::server
