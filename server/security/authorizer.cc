#include "server/security/authorizer.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"
#include "server/errors/echo.h"
#include "server/errors/errors.h"
#include "server/security/method_roles.h"

namespace ddsp::server {
namespace {

// The scheme's name may be written in any case; empty: another scheme, or nothing after it.
std::string TokenIn(absl::string_view authorization) {
  constexpr absl::string_view kScheme = "Bearer ";
  if (!absl::StartsWithIgnoreCase(authorization, kScheme)) return "";
  return std::string(absl::StripAsciiWhitespace(authorization.substr(kScheme.size())));
}

absl::Status Invalid(absl::string_view why) { return MakeError(Reason::kTokenInvalid, std::string(why)); }

}  // namespace

absl::StatusOr<Principal> Authorizer::IdentifyToken(const std::string& token, absl::Time now) const {
  if (const AccessTable::Known* const known = table_.FindKey(token); known != nullptr) {
    return now < known->expires ? absl::StatusOr<Principal>(known->principal) : Invalid("the token has expired");
  }
  if (!jwt_.has_value() || !LooksLikeJwt(token)) return Invalid("the token is not known");
  absl::StatusOr<Principal> principal = jwt_->Verify(token, now);
  if (!principal.ok()) return Invalid(principal.status().message());
  principal->limits = table_.LimitsOf(principal->tenant);
  return principal;
}

absl::StatusOr<Principal> Authorizer::Identify(const Credentials& credentials, absl::Time now) const {
  if (credentials.authorization.has_value()) {
    const std::string token = TokenIn(*credentials.authorization);
    return token.empty() ? Invalid("the authorization is not of the form Bearer TOKEN") : IdentifyToken(token, now);
  }
  if (const AccessTable::Known* const known = table_.FindCertificate(credentials.certificate_names)) {
    return known->principal;
  }
  return MakeError(Reason::kTokenMissing, "this server asks for a token: authorization: Bearer TOKEN");
}

absl::StatusOr<Principal> Authorizer::Authorize(std::string_view method, const Credentials& credentials,
                                                absl::Time now) const {
  ASSIGN_OR_RETURN(Principal principal, Identify(credentials, now));
  const MethodRow* const row = FindMethod(method);
  if (row == nullptr) {
    const std::string asked = Echo(method);
    return MakeError(Reason::kMethodNotFound, absl::StrCat("no method ", asked), {{"method", asked}});
  }
  if (Allows(row->access, principal.roles)) return principal;
  return MakeError(Reason::kRoleMissing,
                   absl::StrCat("this method is for the role ", std::string(NameOf(row->access)),
                                ", which the caller does not have"),
                   {{"role", std::string(NameOf(row->access))}, {"tenant", principal.tenant}});
}

}  // namespace ddsp::server
