#include "server/jobs/page_token.h"

#include <gtest/gtest.h>

#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

const JobFilter kTrain{.kind = "train"};

TEST(PageToken, ComesBack) {
  const auto position = ReadPageToken(MakePageToken({-12, "train-7"}, kTrain), kTrain);
  ASSERT_TRUE(position.ok());
  EXPECT_EQ(position->create_us, -12);
  EXPECT_EQ(position->id, "train-7");
}

TEST(PageToken, OfAnotherFilterIsRefused) {
  const auto position = ReadPageToken(MakePageToken({1, "train-7"}, kTrain), JobFilter{});
  EXPECT_EQ(ReasonOf(position.status()), "INVALID_JOB_REQUEST");
}

TEST(PageToken, RubbishIsRefused) {
  const std::string good = MakePageToken({1, "train-7"}, kTrain);
  for (const std::string& token : {std::string("x"), std::string("!!"), good.substr(1), good + good}) {
    EXPECT_EQ(ReasonOf(ReadPageToken(token, kTrain).status()), "INVALID_JOB_REQUEST") << token;
  }
}

}  // namespace
}  // namespace ddsp::server
