#include "server/registry/version_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ddsp::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(VersionPolicy, PicksWhatItSays) {
  const std::set<int64_t> versions = {1, 3, 10};
  EXPECT_THAT(ParseVersionPolicy("latest")->Pick(versions), ElementsAre(10));
  EXPECT_THAT(ParseVersionPolicy("latest:2")->Pick(versions), ElementsAre(3, 10));
  EXPECT_THAT(ParseVersionPolicy("latest:9")->Pick(versions), ElementsAre(1, 3, 10));
  EXPECT_THAT(ParseVersionPolicy("all")->Pick(versions), ElementsAre(1, 3, 10));
  EXPECT_THAT(ParseVersionPolicy("specific:1,2,10")->Pick(versions), ElementsAre(1, 10));
  EXPECT_THAT(ParseVersionPolicy("latest")->Pick({}), IsEmpty());
}

TEST(VersionPolicy, NamesWhatItDoesNotUnderstand) {
  for (const char* text : {"", "newest", "latest:", "latest:0", "latest:x", "all:1", "specific",
                           "specific:", "specific:1,,2", "specific:-1"}) {
    const absl::Status error = ParseVersionPolicy(text).status();
    EXPECT_EQ(error.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(error.message()), HasSubstr(std::string("'") + text + "'"));
  }
}

TEST(VersionPolicies, AreOfAllModelsOrOfOne) {
  const auto policies = ParseVersionPolicies({"all", "violin=specific:2", "latest:2"});
  ASSERT_TRUE(policies.ok()) << policies.status();
  EXPECT_THAT(policies->For("violin").Pick({1, 2, 3}), ElementsAre(2));
  EXPECT_THAT(policies->For("flute").Pick({1, 2, 3}), ElementsAre(2, 3));
  EXPECT_FALSE(ParseVersionPolicies({"Violin=all"}).ok());
  EXPECT_FALSE(ParseVersionPolicies({"violin="}).ok());
}

}  // namespace
}  // namespace ddsp::server
