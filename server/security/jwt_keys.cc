#include "server/security/jwt_keys.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace ddsp::server {
namespace {

using nlohmann::json;

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, Freed<BIO_free>>;
using NumberPtr = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using BuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;
using ContextPtr = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;

constexpr int kLeastRsaBits = 2048;
constexpr size_t kMostCoordinate = 66;  // bytes, of P-521

bool IsRsa(const std::string& algorithm) { return algorithm[0] == 'R'; }

struct Curve {
  const char* name;
  size_t bytes;
};
Curve CurveOf(const std::string& algorithm) {
  if (algorithm == "ES384") return {"P-384", 48};
  if (algorithm == "ES512") return {"P-521", kMostCoordinate};
  return {"P-256", 32};
}

KeyPtr Build(const char* kind, OSSL_PARAM_BLD* builder) {
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder));
  const ContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
  EVP_PKEY* key = nullptr;
  if (params == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  return KeyPtr(key);
}

std::string Text(const json& object, const char* field) {
  const auto found = object.find(field);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// Empty: there is none, or it is no base64.
std::string Bytes(const json& object, const char* field) {
  std::string bytes;
  return absl::WebSafeBase64Unescape(Text(object, field), &bytes) ? bytes : "";
}

KeyPtr RsaKey(const json& jwk) {
  const auto number = [](const std::string& bytes) {
    return NumberPtr(
        BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr));
  };
  const NumberPtr modulus = number(Bytes(jwk, "n")), exponent = number(Bytes(jwk, "e"));
  const BuilderPtr builder(OSSL_PARAM_BLD_new());
  if (OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    return nullptr;
  }
  return Build("RSA", builder.get());
}

KeyPtr CurveKey(const json& jwk, const Curve& curve) {
  const std::string x = Bytes(jwk, "x"), y = Bytes(jwk, "y");
  if (Text(jwk, "crv") != curve.name || x.size() != curve.bytes || y.size() != curve.bytes) return nullptr;
  const std::string point = absl::StrCat("\x04", x, y);
  const BuilderPtr builder(OSSL_PARAM_BLD_new());
  if (OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.name, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1) {
    return nullptr;
  }
  return Build("EC", builder.get());
}

bool Fits(EVP_PKEY* key, const std::string& algorithm) {
  if (IsRsa(algorithm)) return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) >= kLeastRsaBits;
  const size_t bytes = (EVP_PKEY_get_bits(key) + 7) / 8;
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && bytes == CurveOf(algorithm).bytes;
}

std::string PemOf(EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PUBKEY(bio.get(), key) != 1) return "";
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

absl::StatusOr<std::vector<JwtKey>> ReadPem(const std::string& text, const std::string& algorithm) {
  const BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  // Nobody is asked for a pass phrase, at the terminal neither: OpenSSL would wait there.
  const auto no_pass_phrase = [](char*, int, int, void*) { return -1; };
  const KeyPtr key(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_pass_phrase, nullptr));
  ERR_clear_error();
  if (key == nullptr) return absl::InvalidArgumentError("holds no public key in PEM");
  if (!Fits(key.get(), algorithm)) {
    return absl::InvalidArgumentError(absl::StrCat("its key cannot sign with ", algorithm, " (RSA from ", kLeastRsaBits,
                                                   " bits on, or the algorithm's curve)"));
  }
  return std::vector<JwtKey>{{.id = "", .pem = PemOf(key.get())}};
}

absl::StatusOr<std::vector<JwtKey>> ReadJwks(const std::string& text, const std::string& algorithm) {
  const json document = json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto listed = document.is_object() ? document.find("keys") : document.end();
  if (!document.is_object() || listed == document.end() || !listed->is_array()) {
    return absl::InvalidArgumentError("is neither a public key in PEM nor a JWKS with an array \"keys\"");
  }
  std::vector<JwtKey> keys;
  for (const json& jwk : *listed) {
    if (!jwk.is_object() || Text(jwk, "kty") != (IsRsa(algorithm) ? "RSA" : "EC")) continue;
    if (jwk.contains("use") && Text(jwk, "use") != "sig") continue;
    if (jwk.contains("alg") && Text(jwk, "alg") != algorithm) continue;
    const KeyPtr key = IsRsa(algorithm) ? RsaKey(jwk) : CurveKey(jwk, CurveOf(algorithm));
    ERR_clear_error();
    if (key != nullptr && Fits(key.get(), algorithm)) keys.push_back({.id = Text(jwk, "kid"), .pem = PemOf(key.get())});
  }
  if (keys.empty()) return absl::InvalidArgumentError(absl::StrCat("no key of its JWKS can sign with ", algorithm));
  return keys;
}

}  // namespace

absl::StatusOr<std::vector<JwtKey>> ReadJwtKeys(const std::string& text, const std::string& algorithm) {
  return absl::StartsWith(absl::StripLeadingAsciiWhitespace(text), "{") ? ReadJwks(text, algorithm)
                                                                        : ReadPem(text, algorithm);
}

}  // namespace ddsp::server
