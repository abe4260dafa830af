#include "worker/jobs/farewell.h"

#include <gtest/gtest.h>

namespace ddsp::worker {
namespace {

TEST(Farewell, OfALostLeaseIsNone) {
  for (const absl::Status& ended : {absl::OkStatus(), absl::CancelledError(), absl::InvalidArgumentError("x")}) {
    EXPECT_EQ(FarewellOf(ended, StopReason::kLeaseLost), Farewell::kNone) << ended;
  }
}

TEST(Farewell, OfAFinishedJobIsItsResult) {
  for (const StopReason reason : {StopReason::kNone, StopReason::kShutdown, StopReason::kCancelled}) {
    EXPECT_EQ(FarewellOf(absl::OkStatus(), reason), Farewell::kComplete);
  }
}

TEST(Farewell, OfAStoppedJobDependsOnWhy) {
  EXPECT_EQ(FarewellOf(absl::CancelledError(), StopReason::kShutdown), Farewell::kRelease);
  EXPECT_EQ(FarewellOf(absl::UnavailableError("x"), StopReason::kShutdown), Farewell::kRelease);
  EXPECT_EQ(FarewellOf(absl::CancelledError(), StopReason::kCancelled), Farewell::kFail);
}

TEST(Farewell, OfWhatCannotBeIsForGood) {
  EXPECT_EQ(FarewellOf(absl::InvalidArgumentError("x"), StopReason::kNone), Farewell::kFailPermanently);
  EXPECT_EQ(FarewellOf(absl::InvalidArgumentError("x"), StopReason::kShutdown), Farewell::kFailPermanently);
  EXPECT_EQ(FarewellOf(absl::ResourceExhaustedError("disk"), StopReason::kNone), Farewell::kFail);
  EXPECT_EQ(FarewellOf(absl::InternalError("disk"), StopReason::kNone), Farewell::kFail);
  EXPECT_EQ(FarewellOf(absl::OutOfRangeError("File too large"), StopReason::kNone), Farewell::kFail);
}

}  // namespace
}  // namespace ddsp::worker
