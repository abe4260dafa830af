#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/security/principal.h"

namespace ddsp::server {

// PEM files. They are read again when they have changed, at the next connection.
struct TlsOptions {
  std::string cert_file, key_file;  // the chain, leaf first, and its key; empty: plain text
  std::string client_ca_file;       // who signs clients' certificates, which are asked for then; empty: none are

  bool enabled() const { return !cert_file.empty(); }
};

struct JwtOptions {
  std::string keys_file;  // a public key in PEM, or a JWKS (RFC 7517); empty: no JWTs
  // Of every token, whatever its header says: RS256, RS384, RS512, ES256, ES384 or ES512.
  std::string algorithm = "RS256";
  std::string issuer, audience;  // exactly
  // Claims with the tenant (a string) and the roles (an array, or words between spaces); roles of others are passed
  // over.
  std::string tenant_claim = "sub", roles_claim = "roles";
  // Clocks of machines differ.
  absl::Duration leeway = absl::Seconds(30);
};

struct SecurityOptions {
  TlsOptions tls;
  std::string keys_file;  // of static keys, certificates and tenants (proto/ddsp/v1/access.proto); empty: none
  JwtOptions jwt;
  TenantLimits tenant_defaults;

  // Whether calls need a token or a known certificate.
  bool authenticates() const { return !keys_file.empty() || !jwt.keys_file.empty(); }
};

// What an operator should know of a server with these options on these addresses: who can reach it may use it, or
// tokens travel in plain text. Nothing for addresses of this machine alone.
std::vector<std::string> WarningsOf(const SecurityOptions& options, const std::vector<std::string>& addresses);

}  // namespace ddsp::server
