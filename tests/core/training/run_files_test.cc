// What a run writes for people and for TensorBoard.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "core/base/crc32c.h"
#include "core/base/file.h"
#include "core/training/event_file.h"
#include "core/training/learning_rate.h"
#include "core/training/metrics_log.h"

namespace ddsp::training {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Crc32c, MatchesThePublishedValues) {
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720, B.4
}

// The records of a file; an unframed rest or a wrong checksum is a failure.
std::vector<std::string> ParseRecords(const std::string& bytes) {
  std::vector<std::string> records;
  for (size_t at = 0; at < bytes.size();) {
    uint64_t size = 0;
    uint32_t crc = 0;
    std::memcpy(&size, &bytes[at], 8);
    std::memcpy(&crc, &bytes[at + 8], 4);
    EXPECT_EQ(crc, MaskedCrc32c(bytes.substr(at, 8)));
    records.push_back(bytes.substr(at + 12, size));
    std::memcpy(&crc, &bytes[at + 12 + size], 4);
    EXPECT_EQ(crc, MaskedCrc32c(records.back()));
    at += 16 + size;
  }
  return records;
}

TEST(EventFile, EncodesAScalarAsTensorBoardReadsIt) {
  // Written out by hand from event.proto and summary.proto: wall_time = 1.5 s, step = 300, summary { value { tag:
  // "loss" simple_value: 2.0 } }.
  const std::string expected(
      "\x09\x00\x00\x00\x00\x00\x00\xf8\x3f"
      "\x10\xac\x02"
      "\x2a\x0d\x0a\x0b\x0a\x04loss\x15\x00\x00\x00\x40",
      9 + 3 + 15);
  EXPECT_EQ(FormatScalarEvent(absl::UnixEpoch() + absl::Seconds(1.5), 300, "loss", 2.0f), expected);
}

TEST(EventFile, BeginsWithItsVersion) {
  const std::string folder = testing::TempDir() + "/event_file_test";
  std::filesystem::remove_all(folder);
  auto file = EventFile::Create(folder, absl::FromUnixSeconds(1700000000));
  ASSERT_TRUE(file.ok()) << file.status();
  (*file)->AddScalar(absl::FromUnixSeconds(1700000001), 7, "loss/total", 3.25f);
  (*file)->Flush();
  EXPECT_THAT((*file)->path(), testing::HasSubstr("events.out.tfevents.1700000000."));
  const std::vector<std::string> records = ParseRecords(ReadFile((*file)->path()).value());
  ASSERT_EQ(records.size(), 2);
  EXPECT_THAT(records[0], testing::HasSubstr("brain.Event:2"));
  EXPECT_EQ(records[1], FormatScalarEvent(absl::FromUnixSeconds(1700000001), 7, "loss/total", 3.25f));
}

TEST(MetricsLog, ForgetsStepsThatHappenAgain) {
  const std::string folder = testing::TempDir() + "/metrics_log_test";
  std::filesystem::remove_all(folder);
  {
    auto log = MetricsLog::Open(folder, 0);
    ASSERT_TRUE(log.ok()) << log.status();
    for (int64_t step = 10; step <= 40; step += 10) (*log)->Add(step, {{"loss/total", 100.0 / step}});
  }
  auto log = MetricsLog::Open(folder, /*resumed_step=*/25);
  ASSERT_TRUE(log.ok()) << log.status();
  (*log)->Add(30, {{"loss/total", 7}, {"held_out/spectral_loss", 8}});
  EXPECT_THAT(ReadMetric(folder, "loss/total"), ElementsAre(Pair(10, 10.0), Pair(20, 5.0), Pair(30, 7.0)));
  EXPECT_THAT(ReadMetric(folder, "held_out/spectral_loss"), ElementsAre(Pair(30, 8.0)));
}

TEST(LearningRate, ExponentialIsUpstreams) {
  LearningRate rate;
  EXPECT_DOUBLE_EQ(rate.At(0), 3e-4);
  EXPECT_DOUBLE_EQ(rate.At(10000), 3e-4 * 0.98);
  EXPECT_NEAR(rate.At(5000), 3e-4 * 0.98994949, 1e-11);
}

TEST(LearningRate, CosineWarmsUpAndFalls) {
  LearningRate rate;
  rate.shape = LearningRate::Shape::kWarmupCosine;
  rate.peak = 1;
  rate.warmup_steps = 9;
  rate.total_steps = 109;
  rate.final_fraction = 0.1;
  EXPECT_NEAR(rate.At(0), 0.1, 1e-12);
  EXPECT_NEAR(rate.At(9), 1.0, 1e-12);
  EXPECT_NEAR(rate.At(59), 0.55, 1e-12);
  EXPECT_NEAR(rate.At(109), 0.1, 1e-12);
  EXPECT_NEAR(rate.At(10000), 0.1, 1e-12);
}

}  // namespace
}  // namespace ddsp::training
