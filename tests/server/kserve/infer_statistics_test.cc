#include "server/kserve/infer_statistics.h"

#include <gtest/gtest.h>

namespace ddsp::server::kserve {
namespace {

constexpr InferTimes kTimes{.input = absl::Microseconds(1),
                            .queue = absl::Microseconds(20),
                            .infer = absl::Microseconds(300),
                            .output = absl::Microseconds(4)};

TEST(InferStatistics, AddUp) {
  InferStatistics statistics;
  statistics.Succeeded("violin", 1, kTimes, absl::FromUnixMillis(5));
  statistics.Succeeded("violin", 1, kTimes, absl::FromUnixMillis(7));
  statistics.Failed("violin", 1, absl::Milliseconds(1));
  const inference::ModelStatistics sums = statistics.Of("violin", 1);
  EXPECT_EQ(sums.name(), "violin");
  EXPECT_EQ(sums.version(), "1");
  EXPECT_EQ(sums.last_inference(), 7u);
  EXPECT_EQ(sums.inference_count(), 2u);
  EXPECT_EQ(sums.execution_count(), 2u);
  const inference::InferStatistics& all = sums.inference_stats();
  EXPECT_EQ(all.success().count(), 2u);
  EXPECT_EQ(all.success().ns(), 650000u);
  EXPECT_EQ(all.queue().ns(), 40000u);
  EXPECT_EQ(all.compute_input().ns(), 2000u);
  EXPECT_EQ(all.compute_infer().ns(), 600000u);
  EXPECT_EQ(all.compute_output().ns(), 8000u);
  EXPECT_EQ(all.fail().count(), 1u);
  EXPECT_EQ(all.fail().ns(), 1000000u);
  ASSERT_EQ(sums.batch_stats_size(), 1);
  EXPECT_EQ(sums.batch_stats(0).batch_size(), 1u);
  EXPECT_EQ(sums.batch_stats(0).compute_infer().ns(), 600000u);
}

TEST(InferStatistics, KeepVersionsApart) {
  InferStatistics statistics;
  statistics.Succeeded("violin", 1, kTimes, absl::UnixEpoch());
  EXPECT_EQ(statistics.Of("violin", 2).inference_count(), 0u);
  EXPECT_EQ(statistics.Of("cello", 1).inference_count(), 0u);
  EXPECT_EQ(statistics.Of("cello", 1).batch_stats_size(), 0);
}

}  // namespace
}  // namespace ddsp::server::kserve
