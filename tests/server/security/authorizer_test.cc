#include "server/security/authorizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "server/errors/errors.h"
#include "server/security/api_key.h"
#include "server/security/method_roles.h"

namespace ddsp::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kStream[] = "/ddsp.v1.Synthesis/StreamSession", kCreate[] = "/ddsp.v1.Jobs/Create",
               kLoad[] = "/ddsp.v1.Models/Load", kCheck[] = "/grpc.health.v1.Health/Check";

class AuthorizerTest : public ::testing::Test {
 protected:
  static std::string KeyLine(const std::string& key, const std::string& rest) {
    return absl::StrCat("key { tenant: \"studio\" sha256: \"", HexOf(HashOfKey(key)), "\" ", rest, " }\n");
  }
  absl::StatusOr<Principal> Ask(const char* method, const std::string& authorization) {
    return authorizer_.Authorize(method, {.authorization = authorization, .certificate_names = {}}, now_);
  }
  void ExpectRefused(const absl::StatusOr<Principal>& answer, absl::StatusCode code, const std::string& reason) {
    EXPECT_EQ(answer.status().code(), code);
    EXPECT_EQ(ReasonOf(answer.status()), reason);
  }

  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  Authorizer authorizer_{*AccessTable::Parse(
      KeyLine("player", "role: STREAM") + KeyLine("publisher", "role: PUBLISH") + KeyLine("boss", "role: ADMIN") +
          KeyLine("guest", "role: STREAM expire_time: \"2027-01-15T08:00:00Z\"") +
          "certificate { tenant: \"workers\" role: PUBLISH san: \"worker.test\" }",
      "keys", {})};
};

TEST_F(AuthorizerTest, EachRoleHasItsMethods) {
  struct Row {
    const char* key;
    bool streams, creates, loads;
  };
  for (const Row& row :
       {Row{"player", true, false, false}, Row{"publisher", false, true, false}, Row{"boss", false, false, true}}) {
    const std::string bearer = absl::StrCat("Bearer ", row.key);
    EXPECT_EQ(Ask(kStream, bearer).ok(), row.streams) << row.key;
    EXPECT_EQ(Ask(kCreate, bearer).ok(), row.creates) << row.key;
    EXPECT_EQ(Ask(kLoad, bearer).ok(), row.loads) << row.key;
    EXPECT_TRUE(Ask(kCheck, bearer).ok()) << row.key;
  }
  EXPECT_EQ(Ask(kStream, "Bearer player")->tenant, "studio");
}

TEST_F(AuthorizerTest, TheSchemeIsWrittenInAnyCase) {
  EXPECT_TRUE(Ask(kStream, "bearer player").ok());
  EXPECT_TRUE(Ask(kStream, "Bearer   player ").ok());
}

TEST_F(AuthorizerTest, RefusesWhoIsNobody) {
  ExpectRefused(authorizer_.Authorize(kStream, {}, now_), absl::StatusCode::kUnauthenticated, "TOKEN_MISSING");
  for (const char* authorization :
       {"", "Bearer", "Bearer ", "Basic player", "player", "Bearer Player", "Bearer playe"}) {
    ExpectRefused(Ask(kStream, authorization), absl::StatusCode::kUnauthenticated, "TOKEN_INVALID");
  }
}

TEST_F(AuthorizerTest, RefusesAnExpiredKey) {
  now_ = absl::FromUnixSeconds(1'799'999'999);  // 2027-01-15T07:59:59Z
  EXPECT_TRUE(Ask(kStream, "Bearer guest").ok());
  now_ += absl::Seconds(1);
  ExpectRefused(Ask(kStream, "Bearer guest"), absl::StatusCode::kUnauthenticated, "TOKEN_INVALID");
}

TEST_F(AuthorizerTest, SaysWhichRoleIsMissing) {
  const absl::Status refused = Ask(kLoad, "Bearer player").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ReasonOf(refused), "ROLE_MISSING");
  EXPECT_EQ(MetadataOf(refused).at("role"), "admin");
}

TEST_F(AuthorizerTest, AMethodWithoutARowIsForNobody) {
  for (const char* key : {"player", "publisher", "boss"}) {
    ExpectRefused(Ask("/ddsp.v1.Synthesis/Sing", absl::StrCat("Bearer ", key)), absl::StatusCode::kUnimplemented,
                  "METHOD_NOT_FOUND");
  }
  // And whoever has no token does not learn that there is none.
  ExpectRefused(authorizer_.Authorize("/ddsp.v1.Synthesis/Sing", {}, now_), absl::StatusCode::kUnauthenticated,
                "TOKEN_MISSING");
}

TEST_F(AuthorizerTest, ACertificateStandsForAToken) {
  const Credentials worker = {.authorization = std::nullopt, .certificate_names = {"worker.test"}};
  EXPECT_EQ(authorizer_.Authorize(kCreate, worker, now_)->tenant, "workers");
  ExpectRefused(
      authorizer_.Authorize(kCreate, {.authorization = std::nullopt, .certificate_names = {"other.test"}}, now_),
      absl::StatusCode::kUnauthenticated, "TOKEN_MISSING");
  // A token that is shown must hold, whatever the certificate.
  ExpectRefused(
      authorizer_.Authorize(kCreate, {.authorization = "Bearer x", .certificate_names = {"worker.test"}}, now_),
      absl::StatusCode::kUnauthenticated, "TOKEN_INVALID");
}

TEST_F(AuthorizerTest, NoErrorRepeatsTheToken) {
  for (const char* method : {kStream, kLoad, "/x/y"}) {
    for (const char* token : {"secret-token-1", "guest", "player"}) {
      const absl::Status error = Ask(method, absl::StrCat("Bearer ", token)).status();
      EXPECT_THAT(error.ToString(), Not(HasSubstr(token)));
    }
  }
}

TEST(MethodRoles, EveryRoleHasAMethod) {
  EXPECT_EQ(FindMethod(kStream)->access, Access::kStream);
  EXPECT_EQ(FindMethod(kStream)->charge, Charge::kSession);
  EXPECT_EQ(FindMethod(kCreate)->access, Access::kPublish);
  EXPECT_EQ(FindMethod(kLoad)->access, Access::kAdmin);
  EXPECT_EQ(FindMethod("/ddsp.v1.Synthesis/Sing"), nullptr);
  EXPECT_EQ(FindMethod(""), nullptr);
}

TEST(MethodRoles, NamesWhatHasNoRow) {
  EXPECT_TRUE(CheckMethods({kStream, kLoad}).ok());
  const absl::Status missing = CheckMethods({kStream, "/ddsp.v1.Synthesis/Sing"});
  EXPECT_THAT(std::string(missing.message()), HasSubstr("/ddsp.v1.Synthesis/Sing"));
  EXPECT_THAT(std::string(missing.message()), HasSubstr("method_roles.cc"));
}

TEST(MethodRoles, WithoutARoleNothingIsAllowed) {
  for (const Access access : {Access::kAnyRole, Access::kStream, Access::kPublish, Access::kAdmin}) {
    EXPECT_FALSE(Allows(access, RoleSet()));
    EXPECT_TRUE(Allows(access, RoleSet::All()));
  }
}

}  // namespace
}  // namespace ddsp::server
