#include "server/security/jwt_verifier.h"

#include <jwt.h>
#include <openssl/err.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"

namespace ddsp::server {
namespace {

using nlohmann::json;

// With a shared secret whoever checks tokens could make them, and a public key could be passed off as one.
constexpr const char* kAlgorithms[] = {"RS256", "RS384", "RS512", "ES256", "ES384", "ES512"};

struct FreeToken {
  void operator()(jwt_t* token) const { jwt_free(token); }
};
struct FreeText {
  void operator()(char* text) const { free(text); }
};

absl::Status Refused(std::string_view why) {
  return absl::UnauthenticatedError(absl::StrCat("the token ", absl::string_view(why.data(), why.size())));
}

// Nothing, where the claim is no number.
std::optional<absl::Time> TimeIn(const json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end() || !found->is_number()) return std::nullopt;
  const auto seconds = found->get<double>();
  if (!std::isfinite(seconds)) return std::nullopt;
  return absl::UnixEpoch() + absl::Seconds(seconds);
}

bool Holds(const json& claims, const std::string& name, const std::string& value) {
  const auto found = claims.find(name);
  if (found == claims.end()) return false;
  if (found->is_array()) return std::find(found->begin(), found->end(), json(value)) != found->end();
  return found->is_string() && found->get<std::string>() == value;
}

// Short, and nothing that could not stand in a log.
bool IsPlain(const std::string& name) {
  constexpr size_t kMost = 200;
  return !name.empty() && name.size() <= kMost && std::none_of(name.begin(), name.end(), absl::ascii_iscntrl);
}

RoleSet RolesIn(const json& claims, const std::string& name) {
  std::vector<std::string> words;
  if (const auto found = claims.find(name); found != claims.end() && found->is_string()) {
    words = absl::StrSplit(found->get<std::string>(), ' ', absl::SkipEmpty());
  } else if (found != claims.end() && found->is_array()) {
    for (const json& word : *found) {
      if (word.is_string()) words.push_back(word.get<std::string>());
    }
  }
  RoleSet roles;
  for (const std::string& word : words) {
    if (const std::optional<Role> role = RoleNamed(word)) roles.Add(*role);
  }
  return roles;
}

absl::Status CheckTimes(const json& claims, absl::Time now, absl::Duration leeway) {
  const std::optional<absl::Time> expires = TimeIn(claims, "exp"), begins = TimeIn(claims, "nbf");
  if (!expires.has_value()) return Refused("has no exp");
  if (now >= *expires + leeway) return Refused("has expired");
  if (claims.contains("nbf") && (!begins.has_value() || now < *begins - leeway)) return Refused("is not valid yet");
  return absl::OkStatus();
}

// The claims of a token whose signature holds; discarded: it does not.
json ClaimsOf(const std::string& token, const std::string& key, const std::string& algorithm) {
  jwt_t* decoded = nullptr;
  const int failed = jwt_decode(&decoded, token.c_str(), reinterpret_cast<const unsigned char*>(key.data()),
                                static_cast<int>(key.size()));
  const std::unique_ptr<jwt_t, FreeToken> owned(decoded);
  ERR_clear_error();
  // The header was looked at before; what was verified is what the library says it was.
  if (failed != 0 || decoded == nullptr || jwt_alg_str(jwt_get_alg(decoded)) != algorithm) {
    return json(json::value_t::discarded);
  }
  const std::unique_ptr<char, FreeText> claims(jwt_get_grants_json(decoded, nullptr));
  return json::parse(claims == nullptr ? "" : claims.get(), nullptr, /*allow_exceptions=*/false);
}

}  // namespace

bool LooksLikeJwt(std::string_view token) { return std::count(token.begin(), token.end(), '.') == 2; }

absl::StatusOr<JwtVerifier> JwtVerifier::Create(const JwtOptions& options, const std::string& keys_text) {
  if (std::find(std::begin(kAlgorithms), std::end(kAlgorithms), options.algorithm) == std::end(kAlgorithms)) {
    return absl::InvalidArgumentError(
        absl::StrCat("algorithm '", options.algorithm, "' is none of RS256, RS384, RS512, ES256, ES384, ES512"));
  }
  if (options.issuer.empty() || options.audience.empty()) {
    return absl::InvalidArgumentError("tokens need an issuer and an audience");
  }
  ASSIGN_OR_RETURN(std::vector<JwtKey> keys, ReadJwtKeys(keys_text, options.algorithm));
  return JwtVerifier(options, std::move(keys));
}

absl::StatusOr<std::string> JwtVerifier::KeyFor(const std::string& header) const {
  const json fields = json::parse(header, nullptr, /*allow_exceptions=*/false);
  if (!fields.is_object()) return Refused("has no header");
  if (!Holds(fields, "alg", options_.algorithm) || !fields["alg"].is_string()) {
    return Refused("is not signed with the algorithm that is asked for");
  }
  if (fields.contains("crit")) return Refused("asks for an extension that is not understood");
  const auto named = fields.find("kid");
  for (const JwtKey& key : keys_) {
    const bool only_one = keys_.size() == 1 && (named == fields.end() || key.id.empty());
    if (only_one || (named != fields.end() && !key.id.empty() && *named == json(key.id))) return key.pem;
  }
  return Refused("is signed with a key that is not known");
}

absl::StatusOr<Principal> JwtVerifier::Verify(const std::string& token, absl::Time now) const {
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  std::string header;
  if (parts.size() != 3 || token.find('\0') != std::string::npos || !absl::WebSafeBase64Unescape(parts[0], &header)) {
    return Refused("is no JSON Web Token");
  }
  ASSIGN_OR_RETURN(const std::string key, KeyFor(header));
  const json claims = ClaimsOf(token, key, options_.algorithm);
  if (!claims.is_object()) return Refused("is not signed by its issuer");
  RETURN_IF_ERROR(CheckTimes(claims, now, options_.leeway));
  if (!Holds(claims, "iss", options_.issuer)) return Refused("is of another issuer");
  if (!Holds(claims, "aud", options_.audience)) return Refused("is for another audience");
  Principal principal{.roles = RolesIn(claims, options_.roles_claim)};
  const auto tenant = claims.find(options_.tenant_claim);
  if (tenant == claims.end() || !tenant->is_string()) return Refused("names no tenant");
  principal.tenant = tenant->get<std::string>();
  if (!IsPlain(principal.tenant)) return Refused("names no tenant");
  return principal;
}

}  // namespace ddsp::server
