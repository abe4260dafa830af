#include "core/training/checkpoint_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/file.h"
#include "core/training/checkpoint.h"

namespace ddsp::training {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class CheckpointWatch : public testing::Test {
 protected:
  CheckpointWatch()
      : folder_(testing::TempDir() + "/watch_" + testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    options_.wait = [] { return false; };
  }
  void Write(int64_t step) { ASSERT_TRUE(WriteFileAtomically(CheckpointPath(folder_, step), "weights").ok()); }
  absl::Status Run() {
    return WatchCheckpoints(folder_, options_, [&](const std::string& path) {
      visited_.push_back(fs::path(path).filename().string().substr(11, 9));
      return answer_;
    });
  }

  const std::string folder_;
  WatchOptions options_;
  absl::Status answer_;
  std::vector<std::string> visited_;
};

TEST_F(CheckpointWatch, OnceIsTheNewestAlone) {
  options_.watch = Watch::kOnce;
  EXPECT_EQ(Run().code(), absl::StatusCode::kNotFound);
  Write(3);
  Write(20);
  EXPECT_TRUE(Run().ok());
  EXPECT_THAT(visited_, ElementsAre("000000020"));
}

TEST_F(CheckpointWatch, SeesEachNewOneAndSkipsThoseBetween) {
  int waits = 0;
  options_.wait = [&] {
    if (++waits == 1) Write(1);
    if (waits == 2) Write(2), Write(3);
    return waits < 4;
  };
  EXPECT_TRUE(Run().ok());
  EXPECT_THAT(visited_, ElementsAre("000000001", "000000003"));
  EXPECT_EQ(waits, 4) << "nothing new: waits again";
}

TEST_F(CheckpointWatch, AnErrorEndsIt) {
  Write(1);
  answer_ = absl::InvalidArgumentError("no checkpoint of this model");
  EXPECT_EQ(Run(), answer_);
}

// A training keeps a few checkpoints, and may be faster than whoever looks at them.
TEST_F(CheckpointWatch, OneThatIsDeletedMeanwhileIsNoError) {
  Write(1);
  const absl::Status status = WatchCheckpoints(folder_, options_, [&](const std::string& path) -> absl::Status {
    visited_.push_back(path);
    if (visited_.size() > 1) return absl::OkStatus();
    Write(2);
    fs::remove(path);
    return absl::NotFoundError(path);
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(visited_.size(), 2);
}

}  // namespace
}  // namespace ddsp::training
