// Who a caller is, and whether they may call a method. Pure decisions: no clock, no file, no connection.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/security/access_table.h"
#include "server/security/jwt_verifier.h"
#include "server/security/principal.h"

namespace ddsp::server {

// What a call shows.
struct Credentials {
  std::optional<std::string> authorization;    // the header of this name: "Bearer ddsp_..."
  std::vector<std::string> certificate_names;  // subject alternative names of the client's certificate, once verified
};

class Authorizer {
 public:
  explicit Authorizer(AccessTable table, std::optional<JwtVerifier> jwt = std::nullopt)
      : table_(std::move(table)), jwt_(std::move(jwt)) {}

  // Errors: TOKEN_MISSING; TOKEN_INVALID, which never repeats the token; ROLE_MISSING; METHOD_NOT_FOUND for a method
  // that nobody has said a role for, whether it exists or not. A token, if there is one, goes before a certificate.
  absl::StatusOr<Principal> Authorize(std::string_view method, const Credentials& credentials, absl::Time now) const;

 private:
  absl::StatusOr<Principal> Identify(const Credentials& credentials, absl::Time now) const;
  absl::StatusOr<Principal> IdentifyToken(const std::string& token, absl::Time now) const;

  AccessTable table_;
  std::optional<JwtVerifier> jwt_;
};

}  // namespace ddsp::server
