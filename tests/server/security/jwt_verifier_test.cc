#include "server/security/jwt_verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "tests/server/security/test_pki.h"

namespace ddsp::server {
namespace {

using namespace ddsp::testing;  // NOLINT: the test's own vocabulary
using ::testing::HasSubstr;

constexpr int64_t kNow = 1'800'000'000;

std::string Claims(const std::string& more, int64_t expires = kNow + 600) {
  return absl::StrCat(
      "{\"iss\":\"https://issuer.test\",\"aud\":\"ddsp\",\"sub\":\"studio\",\"roles\":[\"stream\","
      "\"janitor\"],\"exp\":",
      expires, more, "}");
}

JwtOptions Options(const std::string& algorithm) {
  JwtOptions options;
  options.algorithm = algorithm;
  options.issuer = "https://issuer.test";
  options.audience = "ddsp";
  return options;
}

class JwtVerifierTest : public ::testing::Test {
 protected:
  absl::StatusOr<Principal> Verify(const std::string& token, int64_t now = kNow) {
    return verifier_.Verify(token, absl::FromUnixSeconds(now));
  }
  void ExpectRefused(const std::string& token, const std::string& why, int64_t now = kNow) {
    const auto answer = Verify(token, now);
    EXPECT_EQ(answer.status().code(), absl::StatusCode::kUnauthenticated) << token;
    EXPECT_THAT(std::string(answer.status().message()), HasSubstr(why));
  }

  const std::shared_ptr<EVP_PKEY> key_ = MakeCurveKey();
  const std::string private_pem_ = PrivatePem(key_.get()), public_pem_ = PublicPem(key_.get());
  const JwtVerifier verifier_ = *JwtVerifier::Create(Options("ES256"), public_pem_);
};

TEST_F(JwtVerifierTest, TakesATokenOfItsIssuer) {
  const auto principal = Verify(SignToken(Claims(""), JWT_ALG_ES256, private_pem_));
  ASSERT_TRUE(principal.ok()) << principal.status();
  EXPECT_EQ(principal->tenant, "studio");
  EXPECT_TRUE(principal->roles.Has(Role::kStream));
  EXPECT_FALSE(principal->roles.Has(Role::kAdmin));
}

TEST_F(JwtVerifierTest, ReadsOtherFormsOfTheSame) {
  const std::string claims = absl::StrCat(
      "{\"iss\":\"https://issuer.test\",\"aud\":[\"other\",\"ddsp\"],\"sub\":\"a\",\"roles\":\"openid "
      "admin publish\",\"exp\":",
      kNow + 1, "}");
  const auto principal = Verify(SignToken(claims, JWT_ALG_ES256, private_pem_));
  ASSERT_TRUE(principal.ok()) << principal.status();
  EXPECT_TRUE(principal->roles.Has(Role::kAdmin) && principal->roles.Has(Role::kPublish));
}

TEST_F(JwtVerifierTest, TheTokenDoesNotChooseItsAlgorithm) {
  ExpectRefused(SignToken(Claims(""), JWT_ALG_NONE, ""), "algorithm");
  // The public key is no secret: signed with it as if it were.
  ExpectRefused(SignToken(Claims(""), JWT_ALG_HS256, public_pem_), "algorithm");
  ExpectRefused(SignToken(Claims(""), JWT_ALG_RS256, PrivatePem(MakeRsaKey(2048).get())), "algorithm");
}

TEST_F(JwtVerifierTest, RefusesWhatItsIssuerDidNotSign) {
  const std::string token = SignToken(Claims(""), JWT_ALG_ES256, private_pem_);
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  std::string claims;
  ASSERT_TRUE(absl::WebSafeBase64Unescape(parts[1], &claims));
  const std::string forged = absl::StrCat(
      parts[0], ".", absl::WebSafeBase64Escape(absl::StrReplaceAll(claims, {{"stream", "admin"}})), ".", parts[2]);
  ExpectRefused(forged, "not signed");
  ExpectRefused(absl::StrCat(parts[0], ".", parts[1], "."), "not signed");
  ExpectRefused(SignToken(Claims(""), JWT_ALG_ES256, PrivatePem(MakeCurveKey().get())), "not signed");
}

TEST_F(JwtVerifierTest, RefusesWhatIsNoToken) {
  for (const char* text : {"", "..", "a.b.c", "a.b", "ddsp_key", "eyJ9.e30.AA"}) {
    EXPECT_FALSE(Verify(text).ok()) << text;
  }
  EXPECT_FALSE(Verify(std::string("a.b\0.c", 6)).ok());
  EXPECT_FALSE(Verify(std::string(100'000, '.')).ok());
}

TEST_F(JwtVerifierTest, TimesCountWithSomeLeeway) {
  const std::string token = SignToken(Claims("", kNow), JWT_ALG_ES256, private_pem_);
  EXPECT_TRUE(Verify(token, kNow + 29).ok());
  ExpectRefused(token, "expired", kNow + 30);
  const std::string later = SignToken(Claims(absl::StrCat(",\"nbf\":", kNow + 100)), JWT_ALG_ES256, private_pem_);
  ExpectRefused(later, "not valid yet", kNow + 69);
  EXPECT_TRUE(Verify(later, kNow + 70).ok());
  ExpectRefused(
      SignToken("{\"iss\":\"https://issuer.test\",\"aud\":\"ddsp\",\"sub\":\"a\"}", JWT_ALG_ES256, private_pem_),
      "no exp");
  ExpectRefused(SignToken(Claims(",\"nbf\":\"now\""), JWT_ALG_ES256, private_pem_), "not valid yet");
}

TEST_F(JwtVerifierTest, RefusesWhatIsForSomebodyElse) {
  const auto with = [&](const char* from, const char* to) {
    return SignToken(absl::StrReplaceAll(Claims(""), {{from, to}}), JWT_ALG_ES256, private_pem_);
  };
  ExpectRefused(with("https://issuer.test", "https://issuer.test2"), "issuer");
  ExpectRefused(with("\"aud\":\"ddsp\"", "\"aud\":\"DDSP\""), "audience");
  ExpectRefused(with("\"sub\":\"studio\"", "\"sub\":7"), "tenant");
  ExpectRefused(with("\"sub\":\"studio\"", "\"sub\":\"\""), "tenant");
  ExpectRefused(with("\"sub\":\"studio\"", "\"sub\":\"a\\nb\""), "tenant");
  ExpectRefused(with("\"sub\":\"studio\"", absl::StrCat("\"sub\":\"", std::string(201, 'a'), "\"").c_str()), "tenant");
}

TEST(JwtKeys, RsaSignsToo) {
  const auto key = MakeRsaKey(2048);
  const auto verifier = JwtVerifier::Create(Options("RS256"), PublicPem(key.get()));
  ASSERT_TRUE(verifier.ok()) << verifier.status();
  EXPECT_TRUE(
      verifier->Verify(SignToken(Claims(""), JWT_ALG_RS256, PrivatePem(key.get())), absl::FromUnixSeconds(kNow)).ok());
}

std::string Number(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key, name, &number);
  std::string bytes(BN_num_bytes(number), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  BN_free(number);
  return absl::WebSafeBase64Escape(bytes);
}

std::string RsaJwk(EVP_PKEY* key, const std::string& kid, const std::string& more = "") {
  return absl::StrCat("{\"kty\":\"RSA\",\"kid\":\"", kid, "\",\"n\":\"", Number(key, OSSL_PKEY_PARAM_RSA_N),
                      "\",\"e\":\"", Number(key, OSSL_PKEY_PARAM_RSA_E), "\"", more, "}");
}

TEST(JwtKeys, ASetNamesItsKeys) {
  const auto a = MakeRsaKey(2048), b = MakeRsaKey(2048);
  const std::string set = absl::StrCat("{\"keys\":[", RsaJwk(a.get(), "a"), ",", RsaJwk(b.get(), "b"), "]}");
  const auto verifier = JwtVerifier::Create(Options("RS256"), set);
  ASSERT_TRUE(verifier.ok()) << verifier.status();
  const absl::Time now = absl::FromUnixSeconds(kNow);
  EXPECT_TRUE(verifier->Verify(SignToken(Claims(""), JWT_ALG_RS256, PrivatePem(b.get()), "b"), now).ok());
  EXPECT_FALSE(verifier->Verify(SignToken(Claims(""), JWT_ALG_RS256, PrivatePem(b.get()), "a"), now).ok());
  EXPECT_FALSE(verifier->Verify(SignToken(Claims(""), JWT_ALG_RS256, PrivatePem(b.get()), "c"), now).ok());
  EXPECT_FALSE(verifier->Verify(SignToken(Claims(""), JWT_ALG_RS256, PrivatePem(b.get())), now).ok());
}

TEST(JwtKeys, ReadsACurveOfASet) {
  const auto key = MakeCurveKey();
  const auto coordinate = [&](const char* name) {
    std::string bytes;
    absl::WebSafeBase64Unescape(Number(key.get(), name), &bytes);
    return absl::WebSafeBase64Escape(std::string(32 - bytes.size(), '\0') + bytes);
  };
  const std::string set =
      absl::StrCat("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"", coordinate(OSSL_PKEY_PARAM_EC_PUB_X),
                   "\",\"y\":\"", coordinate(OSSL_PKEY_PARAM_EC_PUB_Y), "\"}]}");
  const auto verifier = JwtVerifier::Create(Options("ES256"), set);
  ASSERT_TRUE(verifier.ok()) << verifier.status();
  EXPECT_TRUE(
      verifier->Verify(SignToken(Claims(""), JWT_ALG_ES256, PrivatePem(key.get())), absl::FromUnixSeconds(kNow)).ok());
}

TEST(JwtKeys, RefusesKeysThatCannotSign) {
  const auto rsa = MakeRsaKey(2048);
  const auto refused = [](const std::string& algorithm, const std::string& text) {
    return std::string(JwtVerifier::Create(Options(algorithm), text).status().message());
  };
  EXPECT_THAT(refused("HS256", "secret"), HasSubstr("'HS256'"));
  EXPECT_THAT(refused("none", ""), HasSubstr("'none'"));
  EXPECT_THAT(refused("RS256", "nothing"), HasSubstr("no public key"));
  EXPECT_THAT(refused("ES256", PublicPem(rsa.get())), HasSubstr("ES256"));
  EXPECT_THAT(refused("ES384", PublicPem(MakeCurveKey().get())), HasSubstr("ES384"));
  EXPECT_THAT(refused("RS256", PublicPem(MakeRsaKey(1024).get())), HasSubstr("2048"));
  EXPECT_THAT(refused("RS256", "{\"keys\":7}"), HasSubstr("JWKS"));
  EXPECT_THAT(refused("RS256", absl::StrCat("{\"keys\":[", RsaJwk(rsa.get(), "a", ",\"use\":\"enc\""), "]}")),
              HasSubstr("no key"));
  JwtOptions nobody = Options("RS256");
  nobody.audience = "";
  EXPECT_FALSE(JwtVerifier::Create(nobody, PublicPem(rsa.get())).ok());
}

}  // namespace
}  // namespace ddsp::server
