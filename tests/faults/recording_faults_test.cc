// Recordings as people have them: what of them is used, what is said of the others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numbers>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/wav.h"
#include "tests/faults/fault_rig.h"

namespace ddsp::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

std::vector<float> Scaled(std::vector<float> samples, float by) {
  for (float& sample : samples) sample = std::clamp(by * sample, -1.0f, 1.0f);
  return samples;
}

// Eight seconds of a tune above `root` Hz, of which every note is `step` semitones after the one before.
std::vector<float> Notes(double root, int step) {
  std::vector<float> audio(8 * 16000);
  double phase = 0;
  for (size_t i = 0; i < audio.size(); ++i) {
    phase += 2 * std::numbers::pi * root * std::exp2(static_cast<int>(i / 4000) * step % 12 / 12.0) / 16000;
    for (int k = 1; k <= 8; ++k) audio[i] += static_cast<float>(0.2 / k * std::sin(k * phase));
  }
  return audio;
}

std::vector<float> Sum(const std::vector<float>& a, const std::vector<float>& b) {
  std::vector<float> sum(a.size());
  for (size_t i = 0; i < a.size(); ++i) sum[i] = 0.5f * (a[i] + b[i]);
  return sum;
}

std::vector<std::string> Names(const nlohmann::json& remarks) {
  std::vector<std::string> names;
  for (const auto& remark : remarks) names.push_back(remark["name"]);
  return names;
}

std::string TextOf(const nlohmann::json& remarks, const std::string& name) {
  for (const auto& remark : remarks) {
    if (remark["name"] == name) return remark["text"];
  }
  return "";
}

// A voice is made of what is good; the report says what was left out, and what may be wrong with the rest.
TEST(RecordingFaultsTest, BadOnesAmongManyAreLeftOutAndNamed) {
  FaultRig rig;
  v1::CreateJobRequest request = rig.TrainingRequest();
  v1::TrainSpec& train = *request.mutable_spec()->mutable_train();
  train.set_steps(1);
  *train.add_data() = rig.UploadText("broken.wav", "RIFF and then nothing of the kind");
  *train.add_data() = rig.UploadText("notes.wav", "Recorded on Monday.");
  *train.add_data() = rig.UploadSound("deep/er/silent.wav", std::vector<float>(5 * 16000));
  *train.add_data() = rig.UploadSound("short.wav", TestMelody(1600));
  *train.add_data() = rig.UploadSound("clipped.wav", Scaled(TestMelody(6 * 16000, 16000, 3), 20));
  *train.add_data() =
      rig.UploadSound("two-at-once.wav", Sum(Notes(220, 5), Notes(331, 7)));
  const std::string name = rig.jobs().Create(request).value().name();
  const auto worker = rig.StartWorker({"--exit-when-idle"});
  EXPECT_EQ(worker->Wait(), 0) << worker->said();
  const v1::Job job = rig.Get(name);
  ASSERT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED) << job.error() << "\n" << rig.JobLog(name);
  EXPECT_EQ(job.result().metrics().at("recordings_skipped"), 4);
  EXPECT_EQ(job.result().metrics().at("recordings_warned_of"), 2);

  const auto report = nlohmann::json::parse(rig.Download(job, "report/evaluation.json"));
  EXPECT_THAT(Names(report["skipped"]),
              UnorderedElementsAre("broken.wav", "notes.wav", "deep/er/silent.wav", "short.wav"));
  EXPECT_THAT(TextOf(report["skipped"], "notes.wav"), HasSubstr("no audio file"));
  EXPECT_THAT(TextOf(report["skipped"], "deep/er/silent.wav"), HasSubstr("silent"));
  EXPECT_THAT(TextOf(report["skipped"], "short.wav"), HasSubstr("0.10 s"));
  EXPECT_THAT(Names(report["warnings"]), ElementsAre("clipped.wav", "two-at-once.wav"));
  EXPECT_THAT(TextOf(report["warnings"], "two-at-once.wav"), HasSubstr("more than one note at a time"));
  EXPECT_THAT(rig.JobLog(name), AllOf(HasSubstr("broken.wav"), HasSubstr("two-at-once.wav")));
}

// Three hours, in less memory than their samples take, mapped pages of the set included.
TEST(RecordingFaultsTest, AFileOfThreeHoursNeedsNoMemoryOfItsSize) {
  constexpr int kRate = 16000;
  const TempDir folder;
  const std::string file = folder.path() + "/long.wav";
  // A minute, again and again: the samples alone, as the extractor has them, are 691 MB.
  ASSERT_TRUE(WriteWav(file, {kRate, 1, TestMelody(60 * kRate)}, WavEncoding::kPcm16).ok());
  const std::string minute = ReadFile(file).value();
  std::string samples = minute.substr(minute.size() - 2 * 60 * kRate);
  {
    std::string header = minute.substr(0, minute.size() - samples.size());
    const auto put = [&](size_t at, uint32_t value) { header.replace(at, 4, reinterpret_cast<const char*>(&value), 4); };
    const auto bytes = static_cast<uint32_t>(180 * samples.size());
    put(4, bytes + static_cast<uint32_t>(header.size()) - 8);
    put(header.size() - 4, bytes);
    FILE* const out = fopen(file.c_str(), "wb");
    ASSERT_EQ(fwrite(header.data(), 1, header.size(), out), header.size());
    for (int i = 0; i < 180; ++i) ASSERT_EQ(fwrite(samples.data(), 1, samples.size(), out), samples.size());
    ASSERT_EQ(fclose(out), 0);
  }
  rusage before = {}, after = {};
  getrusage(RUSAGE_CHILDREN, &before);
  Program prepare({DDSP_PROGRAM, "dataset", "prepare", folder.path(), "--out", folder.path() + "-set"},
                  folder.path() + "-log");
  ASSERT_EQ(prepare.Wait(), 0) << prepare.said();
  getrusage(RUSAGE_CHILDREN, &after);
  EXPECT_THAT(prepare.said(), HasSubstr("10800")) << "seconds";
  EXPECT_LT(after.ru_maxrss, 500'000) << "kilobytes";
  std::error_code ignored;
  std::filesystem::remove_all(folder.path() + "-set", ignored);
  std::filesystem::remove(folder.path() + "-log", ignored);
}

}  // namespace
}  // namespace ddsp::testing
