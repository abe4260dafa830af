#include "client/sdk/output_cursor.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

AudioBlock Block(int64_t start, std::vector<float> samples) { return {start, std::move(samples), {}}; }

TEST(OutputCursor, DeliversEachSampleOnce) {
  OutputCursor cursor;
  AudioBlock first = Block(0, {0, 1, 2});
  ASSERT_TRUE(cursor.Take(&first).ok());
  EXPECT_THAT(first.samples, ElementsAre(0, 1, 2));
  // All of it came before, then half, then nothing.
  AudioBlock again = Block(1, {1, 2}), half = Block(2, {2, 3}), fresh = Block(4, {4});
  ASSERT_TRUE(cursor.Take(&again).ok());
  EXPECT_THAT(again.samples, IsEmpty());
  ASSERT_TRUE(cursor.Take(&half).ok());
  EXPECT_THAT(half.samples, ElementsAre(3));
  EXPECT_EQ(half.start_sample, 3);
  ASSERT_TRUE(cursor.Take(&fresh).ok());
  EXPECT_THAT(fresh.samples, ElementsAre(4));
  EXPECT_EQ(cursor.samples(), 5);
  EXPECT_EQ(cursor.repeated(), 3);
}

TEST(OutputCursor, NoticesAGap) {
  OutputCursor cursor;
  AudioBlock block = Block(1, {1});
  EXPECT_EQ(cursor.Take(&block).code(), absl::StatusCode::kDataLoss);
  FeatureBlock features{2, 50, {FeatureFrame()}};
  EXPECT_EQ(cursor.Take(&features).code(), absl::StatusCode::kDataLoss);
}

TEST(OutputCursor, CountsFramesApart) {
  OutputCursor cursor;
  FeatureBlock features{0, 50, {{.f0_hz = 1}, {.f0_hz = 2}}}, again{1, 50, {{.f0_hz = 2}, {.f0_hz = 3}}};
  ASSERT_TRUE(cursor.Take(&features).ok());
  ASSERT_TRUE(cursor.Take(&again).ok());
  ASSERT_EQ(again.frames.size(), 1);
  EXPECT_EQ(again.first_frame, 2);
  EXPECT_EQ(again.frames[0].f0_hz, 3);
  EXPECT_EQ(cursor.samples(), 0);
}

}  // namespace
}  // namespace ddsp::client
