#include "core/artifacts/aws_signature.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

// Amazon's own examples: "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)".
const AwsCredentials kExample = {.access_key_id = "AKIAIOSFODNN7EXAMPLE",
                                 .secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                 .session_token = "",
                                 .region = "us-east-1"};
const absl::Time kThen = absl::FromUnixSeconds(1369353600);  // 24 May 2013, midnight

TEST(SignForS3, SignsGettingAPartOfAnObject) {
  auto headers = SignForS3({.method = "GET",
                            .url = "https://examplebucket.s3.amazonaws.com/test.txt",
                            .headers = {{"range", "bytes=0-9"}},
                            .body = ""},
                           kExample, kThen);
  EXPECT_EQ(headers["authorization"],
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_EQ(headers["x-amz-date"], "20130524T000000Z");
}

TEST(SignForS3, SignsParameters) {
  auto headers = SignForS3({.method = "GET",
                            .url = "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J",
                            .headers = {},
                            .body = ""},
                           kExample, kThen);
  EXPECT_THAT(headers["authorization"],
              EndsWith("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST(SignForS3, SignsABody) {
  auto headers =
      SignForS3({.method = "PUT",
                 .url = "https://examplebucket.s3.amazonaws.com/test%24file.text",
                 .headers = {{"date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                 .body = "Welcome to Amazon S3."},
                kExample, kThen);
  EXPECT_THAT(headers["authorization"],
              EndsWith("Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"));
}

TEST(SignForS3, SpeaksForTheSessionToken) {
  AwsCredentials temporary = kExample;
  temporary.session_token = "token";
  auto headers =
      SignForS3({.method = "GET", .url = "https://b.example.org/", .headers = {}, .body = ""}, temporary, kThen);
  EXPECT_EQ(headers["x-amz-security-token"], "token");
  EXPECT_THAT(headers["authorization"], HasSubstr("x-amz-date;x-amz-security-token"));
}

}  // namespace
}  // namespace ddsp
