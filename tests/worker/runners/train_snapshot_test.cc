#include "worker/runners/train_snapshot.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/file.h"

namespace ddsp::worker {
namespace {

class TrainSnapshotTest : public testing::Test {
 protected:
  TrainSnapshotTest() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ + "/from/logs");
  }
  const std::string folder_ = testing::TempDir() + "/train_snapshot_test";
};

TEST_F(TrainSnapshotTest, BringsCheckpointAndMetricsToAnotherFolder) {
  const std::string bytes("check\0point", 11);
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/file", bytes).ok());
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/from/logs/metrics.jsonl", "{\"step\": 1}\n").ok());
  ASSERT_TRUE(PackSnapshot(folder_ + "/file", folder_ + "/from", folder_ + "/snapshot").ok());
  ASSERT_TRUE(UnpackSnapshot(folder_ + "/snapshot", 42, folder_ + "/to").ok());
  EXPECT_EQ(ReadFile(folder_ + "/to/checkpoints/checkpoint-000000042.safetensors").value(), bytes);
  EXPECT_EQ(ReadFile(folder_ + "/to/logs/metrics.jsonl").value(), "{\"step\": 1}\n");
}

TEST_F(TrainSnapshotTest, DoesWithoutMetrics) {
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/file", "x").ok());
  ASSERT_TRUE(PackSnapshot(folder_ + "/file", folder_ + "/nothing", folder_ + "/snapshot").ok());
  EXPECT_TRUE(UnpackSnapshot(folder_ + "/snapshot", 1, folder_ + "/to").ok());
}

TEST_F(TrainSnapshotTest, RefusesWhatIsNone) {
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/snapshot", "nonsense").ok());
  EXPECT_EQ(UnpackSnapshot(folder_ + "/snapshot", 1, folder_ + "/to").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/to/checkpoints"));
}

}  // namespace
}  // namespace ddsp::worker
