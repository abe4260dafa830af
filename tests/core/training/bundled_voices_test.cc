// The voices of models/: they load, and play back melodies that they never saw within the figures of their cards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "core/base/file.h"
#include "core/base/wav.h"
#include "core/models/repository.h"
#include "core/streaming/render.h"
#include "core/streaming/voice_loader.h"
#include "core/training/feature_comparison.h"

namespace ddsp::training {
namespace {

using testing::HasSubstr;

constexpr char kModels[] = DDSP_SOURCE_DIR "/models";

// The held-out melody of each voice.
const std::map<std::string, std::string>& Melodies() {
  static const auto* const melodies = new std::map<std::string, std::string>{
      {"flute", "flute"}, {"tenor-sax", "tenor_sax"}, {"trumpet", "trumpet"}, {"violin", "violin"}};
  return *melodies;
}

class BundledVoice : public testing::TestWithParam<std::string> {};

TEST(BundledVoices, AreThese) {
  std::vector<std::string> names, expected;
  const std::vector<VoiceLocation> voices = ListVoices(kModels).value();
  for (const VoiceLocation& voice : voices) names.push_back(voice.model);
  for (const auto& [name, melody] : Melodies()) expected.push_back(name);
  EXPECT_EQ(names, expected);
}

TEST_P(BundledVoice, LoadsAndSaysWhatItIs) {
  const std::string directory = FindVoice(kModels, GetParam())->directory;
  const auto voice = LoadVoice(directory);  // plays its golden audio
  ASSERT_TRUE(voice.ok()) << voice.status();
  EXPECT_EQ((*voice)->spec.name(), GetParam());
  EXPECT_EQ((*voice)->spec.licence(), "MIT");
  EXPECT_THAT((*voice)->spec.attribution(), HasSubstr("Frank Wen"));
  EXPECT_EQ((*voice)->spec.latency_samples(), 832);
  const std::string card = ReadFile(directory + ".md").value();
  for (const char* part : {"ddsp train", "held-out loss", "loudness L1", "f0 L1", "Licence: MIT"}) {
    EXPECT_THAT(card, HasSubstr(part));
  }
}

TEST_P(BundledVoice, PlaysItsMelodyBack) {
  constexpr int kSeconds = 20;
  const auto melody = ReadWav(DDSP_TESTDATA "/audio/test/" + Melodies().at(GetParam()) + ".wav");
  ASSERT_TRUE(melody.ok()) << melody.status();
  std::vector<float> original(melody->samples.begin(), melody->samples.begin() + kSeconds * 16000);
  const auto voice = LoadVoice(FindVoice(kModels, GetParam())->directory);
  ASSERT_TRUE(voice.ok()) << voice.status();
  const auto engine = MakeVoiceEngine(*voice, 1);
  ASSERT_TRUE(engine.ok()) << engine.status();
  RenderOptions options;
  options.framer.tail = TailPolicy::kCut;
  options.framer.input_rate = options.framer.output_rate = 16000;
  const auto rendering = Render(**engine, options, original);
  ASSERT_TRUE(rendering.ok()) << rendering.status();
  ASSERT_EQ(rendering->audio.size(), original.size());
  const auto extractor = FeatureExtractor::Create({});
  FeatureComparison comparison;
  comparison.Add((*extractor)->Extract(original), (*extractor)->Extract(rendering->audio));
  const FeatureDistances distances = comparison.Result();
  EXPECT_LT(distances.loudness_l1_db, 2);
  EXPECT_LT(distances.voiced_loudness_l1_db, 1.5);
  EXPECT_LT(distances.f0_l1_semitones, 0.3);
  EXPECT_LT(distances.f0_outliers, 0.02);
  EXPECT_GT(distances.raw_pitch_accuracy, 0.97);
  EXPECT_GT(distances.voiced_recall, 0.98);
}

INSTANTIATE_TEST_SUITE_P(All, BundledVoice, testing::Values("flute", "tenor-sax", "trumpet", "violin"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace ddsp::training
