#include "worker/runners/courier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "tests/worker/jobs/fake_job_server.h"

namespace ddsp::worker {
namespace {

using ddsp::testing::FakeBlobDepot;
using ddsp::testing::FakeReporter;

class CourierTest : public ::testing::Test {
 protected:
  CourierTest() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  std::string Write(const std::string& name) {
    const std::string path = absl::StrCat(folder_, "/", name);
    EXPECT_TRUE(WriteFileAtomically(path, name).ok());
    return path;
  }

  const std::string folder_ = ::testing::TempDir() + "/courier_test";
  FakeBlobDepot depot_;
  FakeReporter report_;
};

TEST_F(CourierTest, ReportsTheNewestCheckpointWhenItIsUploaded) {
  Courier courier(depot_, report_, folder_ + "/courier");
  for (int step = 1; step <= 20; ++step) {
    const std::string file = Write(absl::StrCat("checkpoint", step));
    ASSERT_TRUE(courier.OfferCheckpoint(step, file, folder_).ok());
    std::filesystem::remove(file);  // as the trainer does with old ones
  }
  courier.Drain();
  const std::vector<v1::JobCheckpoint> checkpoints = report_.checkpoints();
  ASSERT_FALSE(checkpoints.empty());
  EXPECT_EQ(checkpoints.back().step(), 20);
  for (size_t i = 1; i < checkpoints.size(); ++i) EXPECT_GT(checkpoints[i].step(), checkpoints[i - 1].step());
  EXPECT_THAT(depot_.BytesOf(checkpoints.back().sha256()), ::testing::HasSubstr("checkpoint20"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_ + "/courier")) << "nothing stays on the disk";
}

TEST_F(CourierTest, GoesOnAfterAnUploadThatFailed) {
  depot_.store_answers = {absl::ResourceExhaustedError("quota")};
  Courier courier(depot_, report_, folder_ + "/courier");
  ASSERT_TRUE(courier.OfferCheckpoint(1, Write("one"), folder_).ok());
  courier.Drain();
  EXPECT_THAT(report_.lines(), ::testing::ElementsAre("checkpoint 1 was not uploaded: quota"));
  ASSERT_TRUE(courier.OfferCheckpoint(2, Write("two"), folder_).ok());
  courier.Drain();
  ASSERT_EQ(report_.checkpoints().size(), 1);
  EXPECT_EQ(report_.checkpoints()[0].step(), 2);
}

// As a trainer does that ends on a step at which it has just saved.
TEST_F(CourierTest, TakesACheckpointOnce) {
  Courier courier(depot_, report_, folder_ + "/courier");
  const std::string file = Write("one");
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(courier.OfferCheckpoint(1, file, folder_).ok());
  courier.Drain();
  EXPECT_EQ(report_.checkpoints().size(), 1);
  EXPECT_TRUE(report_.lines().empty());
}

TEST_F(CourierTest, BringsExamples) {
  Courier courier(depot_, report_, folder_ + "/courier");
  courier.OfferExample("examples/a.wav", Write("a.wav"));
  courier.Drain();
  ASSERT_EQ(report_.progress().examples_size(), 1);
  EXPECT_EQ(report_.progress().examples(0).path(), "examples/a.wav");
  EXPECT_EQ(depot_.BytesOf(report_.progress().examples(0).sha256()), "a.wav");
}

TEST_F(CourierTest, NamesACheckpointThatIsNotThere) {
  Courier courier(depot_, report_, folder_ + "/courier");
  EXPECT_FALSE(courier.OfferCheckpoint(1, folder_ + "/nothing", folder_).ok());
}

}  // namespace
}  // namespace ddsp::worker
