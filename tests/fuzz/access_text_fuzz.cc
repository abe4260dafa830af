// What operators and callers write: the first byte says what the rest is.
#include <cstddef>
#include <cstdint>
#include <string>

#include "server/config_file.h"
#include "server/flags.h"
#include "server/security/access_table.h"
#include "server/security/authorizer.h"
#include "server/security/certificates.h"
#include "server/security/jwt_keys.h"
#include "server/session/snapshot_seal.h"
#include "tests/fuzz/input_file.h"

namespace ddsp::server {
namespace {

// Nobody has the other half.
constexpr char kPublicKey[] = R"(-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEszQEu/Ov6kKFdn26O98K+Yt5G5Ai
m4EjJi72/78s3g+RxZIj/9aQ+axeLW4OB/i7Cr6lu2bnmqqAngMmHSe7gQ==
-----END PUBLIC KEY-----
)";

const Authorizer& Door() {
  static const auto* const door = [] {
    JwtOptions options;
    options.algorithm = "ES256";
    options.issuer = "issuer";
    options.audience = "ddsp";
    return new Authorizer(AccessTable(), *JwtVerifier::Create(options, kPublicKey));
  }();
  return *door;
}

void Read(char kind, const std::string& text) {
  switch (kind) {
    case 'c':
      ParseConfig(text, "config").status().IgnoreError();
      ResolveConfig(fuzz::InputFile(text).path()).status().IgnoreError();
      break;
    case 's':
      ReadSessionKeys(fuzz::InputFile(text).path()).status().IgnoreError();
      break;
    case 'x': {
      const fuzz::InputFile file(text);
      ReadCertificates({file.path(), file.path(), file.path()}).status().IgnoreError();
      break;
    }
    case 'k':
      AccessTable::Parse(text, "keys", {}).status().IgnoreError();
      break;
    case 'e':
      ReadJwtKeys(text, "ES256").status().IgnoreError();
      break;
    case 'r':
      ReadJwtKeys(text, "RS256").status().IgnoreError();
      break;
    default: {
      // No token of a stranger opens.
      const Credentials credentials = {.authorization = text, .certificate_names = {}};
      if (Door().Authorize("/grpc.health.v1.Health/Check", credentials, absl::UnixEpoch()).ok()) __builtin_trap();
    }
  }
}

}  // namespace
}  // namespace ddsp::server

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  ddsp::server::Read(static_cast<char>(data[0]), std::string(reinterpret_cast<const char*>(data) + 1, size - 1));
  return 0;
}
