// What a run writes for people and for TensorBoard.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <map>

#include "core/base/crc32c.h"
#include "core/base/file.h"
#include "core/base/wav.h"
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

// A reader of protocol buffers that knows nothing of ours: the values of each field of a message.
std::map<int, std::vector<std::string>> Fields(const std::string& message) {
  std::map<int, std::vector<std::string>> fields;
  size_t at = 0;
  const auto varint = [&] {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(message.at(at++));
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.size()) {
    const uint64_t tag = varint();
    size_t size = 0;
    switch (tag & 7) {
      case 0:
        fields[tag >> 3].push_back(std::to_string(varint()));
        continue;
      case 1:
        size = 8;
        break;
      case 2:
        size = varint();
        break;
      case 5:
        size = 4;
        break;
      default:
        ADD_FAILURE() << "wire type " << (tag & 7);
        return fields;
    }
    fields[tag >> 3].push_back(message.substr(at, size));
    at += size;
  }
  return fields;
}

// The one value of an event's summary.
std::map<int, std::vector<std::string>> ValueOf(const std::string& event) {
  return Fields(Fields(Fields(event).at(5).at(0)).at(1).at(0));
}

TEST(EventFile, HoldsASoundAsAWavFile) {
  std::vector<float> audio(1600);
  for (size_t i = 0; i < audio.size(); ++i) audio[i] = static_cast<float>(i) / 3200;
  const std::string event = FormatAudioEvent(absl::UnixEpoch(), 12, "step/audio", 16000, audio);
  EXPECT_EQ(Fields(event).at(2).at(0), "12");
  auto value = ValueOf(event);
  EXPECT_EQ(value.at(1).at(0), "step/audio");
  auto sound = Fields(value.at(6).at(0));
  float rate = 0;
  std::memcpy(&rate, sound.at(1).at(0).data(), 4);
  EXPECT_EQ(rate, 16000);
  EXPECT_EQ(sound.at(2).at(0), "1");
  EXPECT_EQ(sound.at(3).at(0), "1600");
  EXPECT_EQ(sound.at(5).at(0), "audio/wav");
  const auto wav = ParseWav(sound.at(4).at(0));
  ASSERT_TRUE(wav.ok()) << wav.status();
  EXPECT_NEAR(wav->samples[800], 0.25, 1e-4);
}

TEST(MetricsLog, DrawsWhatIsHeard) {
  const std::string folder = testing::TempDir() + "/metrics_log_audio";
  std::filesystem::remove_all(folder);
  {
    auto log = MetricsLog::Open(folder, 0);
    ASSERT_TRUE(log.ok()) << log.status();
    (*log)->Add(20, {{"seconds_per_step", 0.25}});
    ASSERT_TRUE((*log)->AddAudio(20, "example", 16000, std::vector<float>(8000, 0.1f)).ok());
  }
  std::map<std::string, std::map<int, std::vector<std::string>>> values;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().find("tfevents") == std::string::npos) continue;
    const std::vector<std::string> records = ParseRecords(ReadFile(entry.path().string()).value());
    for (size_t r = 1; r < records.size(); ++r) values[ValueOf(records[r]).at(1).at(0)] = ValueOf(records[r]);
  }
  ASSERT_EQ(values.size(), 4);
  float steps_per_second = 0;
  std::memcpy(&steps_per_second, values.at("steps_per_sec").at(2).at(0).data(), 4);
  EXPECT_EQ(steps_per_second, 4);
  EXPECT_TRUE(values.count("example/audio"));
  auto image = Fields(values.at("example/spectrogram").at(4).at(0));
  EXPECT_EQ(image.at(4).at(0).substr(0, 4), "\x89PNG");
  EXPECT_GT(std::stoi(image.at(1).at(0)), 100) << "height";
  EXPECT_GT(std::stoi(image.at(2).at(0)), std::stoi(image.at(1).at(0)));
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
