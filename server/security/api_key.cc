#include "server/security/api_key.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sys/random.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace ddsp::server {
namespace {

constexpr size_t kKeyBytes = 32;

}  // namespace

std::string NewApiKey() {
  std::string random(kKeyBytes, '\0');
  DDSP_CHECK(getrandom(random.data(), random.size(), 0) == static_cast<ssize_t>(random.size()),
             "the system has randomness");
  return absl::StrCat("ddsp_", absl::WebSafeBase64Escape(random));
}

std::string HashOfKey(std::string_view key) {
  std::string hash(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(), reinterpret_cast<unsigned char*>(hash.data()));
  return hash;
}

std::optional<std::string> HashFromHex(std::string_view hex) {
  if (hex.size() != 2 * SHA256_DIGEST_LENGTH ||
      !std::all_of(hex.begin(), hex.end(), [](char c) { return absl::ascii_isxdigit(c); })) {
    return std::nullopt;
  }
  return absl::HexStringToBytes(absl::string_view(hex.data(), hex.size()));
}

std::string HexOf(std::string_view hash) { return absl::BytesToHexString(absl::string_view(hash.data(), hash.size())); }

bool SameHash(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace ddsp::server
