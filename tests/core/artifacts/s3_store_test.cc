#include "core/artifacts/s3_store.h"

#include <map>

#include "core/artifacts/s3_listing.h"
#include "core/artifacts/url_escape.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<S3Store::Options> Read(std::string_view url, std::map<std::string, std::string> environment = {}) {
  return S3Store::ReadOptions(url, [&environment](const char* name) -> const char* {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

TEST(S3Options, ComeFromUrlAndEnvironment) {
  const auto options = Read("s3://voices/studio/a/", {{"AWS_ENDPOINT_URL", "http://minio:9000/"},
                                                      {"AWS_DEFAULT_REGION", "eu-central-1"},
                                                      {"AWS_ACCESS_KEY_ID", "id"},
                                                      {"AWS_SECRET_ACCESS_KEY", "secret"}});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->bucket, "voices");
  EXPECT_EQ(options->prefix, "studio/a");
  EXPECT_EQ(options->endpoint, "http://minio:9000");
  EXPECT_EQ(options->credentials.region, "eu-central-1");
  EXPECT_EQ(options->credentials.secret_access_key, "secret");
  EXPECT_EQ(Read("s3://voices")->credentials.region, "us-east-1");
  EXPECT_EQ(S3Store(*Read("s3://voices/")).name(), "s3://voices");
}

TEST(S3Options, RefuseWhatCannotBe) {
  for (const char* wrong : {"", "s3:/voices", "s3://", "s3:///voices", "http://voices"}) {
    EXPECT_EQ(Read(wrong).status().code(), absl::StatusCode::kInvalidArgument) << wrong;
  }
  EXPECT_THAT(std::string(Read("s3://voices", {{"AWS_ACCESS_KEY_ID", "id"}}).status().message()),
              HasSubstr("AWS_SECRET_ACCESS_KEY"));
}

TEST(S3Listing, GivesKeysAndTheNextPage) {
  const auto page = ParseS3Listing(R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>voices</Name><KeyCount>2</KeyCount>
<Contents><Key>violin/1/a&amp;b</Key><ETag>"e1"</ETag><Size>3</Size></Contents>
<Contents><Key>violin/1/c</Key><ETag>"e2"</ETag><Size>4</Size></Contents>
<IsTruncated>true</IsTruncated><NextContinuationToken>next/1==</NextContinuationToken></ListBucketResult>)");
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->objects.size(), 2);
  EXPECT_EQ(page->objects[0].key, "violin/1/a&b");
  EXPECT_EQ(page->objects[1].etag, "\"e2\"");
  EXPECT_EQ(page->next_token, "next/1==");
}

TEST(S3Listing, RefusesWhatIsNone) {
  for (const char* wrong : {"", "<html>", "<Other/>", "{}", "<ListBucketResult><Contents>"}) {
    EXPECT_EQ(ParseS3Listing(wrong).status().code(), absl::StatusCode::kInternal) << wrong;
  }
  EXPECT_FALSE(ParseS3Listing("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>").ok());
}

TEST(S3Error, IsCodeAndMessage) {
  EXPECT_EQ(ParseS3Error("<Error><Code>NoSuchKey</Code><Message>It is gone.</Message></Error>"),
            "NoSuchKey: It is gone.");
  EXPECT_EQ(ParseS3Error("no xml <"), "");
}

TEST(Escape, KeepsWhatRfc3986Keeps) {
  EXPECT_EQ(EscapePath("a b/c~d.e_f-g"), "a%20b/c~d.e_f-g");
  EXPECT_EQ(EscapeQuery("a/b=\xC3\xA9"), "a%2Fb%3D%C3%A9");
}

TEST(S3Store, AnUnreachableEndpointIsUnavailable) {
  // Port 1 refuses.
  S3Store store(*Read("s3://voices", {{"AWS_ENDPOINT_URL", "http://127.0.0.1:1"}}));
  const absl::Status status = store.List("").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("127.0.0.1:1"));
}

}  // namespace
}  // namespace ddsp
