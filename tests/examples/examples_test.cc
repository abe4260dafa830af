// Each example runs on a second of sound and makes what it says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <regex>

#include "core/base/wav.h"
#include "core/features/feature_extractor.h"
#include "tests/support/run_program.h"
#include "tests/support/test_voice.h"

namespace ddsp {
namespace {

using ::testing::HasSubstr;
using Sound = std::vector<float>;

class Examples : public ::testing::Test {
 protected:
  std::string Run(const std::string& example, const std::string& arguments) {
    const testing::ProgramResult result =
        testing::RunProgram(std::string(DDSP_EXAMPLES) + "/" + example + " " + arguments);
    EXPECT_EQ(result.exit_code, 0) << result.said;
    return result.said;
  }
  std::string Run(const std::string& example) { return Run(example, folder_.path() + " 1"); }

  // What the example wrote; its picture has to be there, too.
  Sound Heard(const std::string& name) {
    const std::string path = folder_.path() + "/" + name;
    EXPECT_GT(std::filesystem::file_size(path + ".png"), 1000u) << name;
    return ReadWav(path + ".wav")->samples;
  }

  testing::TempDir folder_;
};

double LevelDb(const Sound& sound, double from_s, double to_s) {
  double sum = 0;
  const int begin = static_cast<int>(from_s * 16000), end = static_cast<int>(to_s * 16000);
  for (int i = begin; i < end; ++i) sum += static_cast<double>(sound[i]) * sound[i];
  return 10 * std::log10(sum / (end - begin) + 1e-12);
}

double PitchHz(const Sound& sound, double at_s) {
  const auto extractor = *FeatureExtractor::Create({});
  return extractor->Extract(sound)[std::lround(at_s * extractor->settings().frame_rate)].f0_hz;
}

// How bright a sound is: sign changes of the waveform per second, halved.
double ZeroCrossingHz(const Sound& sound, double from_s, double to_s) {
  int changes = 0;
  const int begin = static_cast<int>(from_s * 16000), end = static_cast<int>(to_s * 16000);
  for (int i = begin + 1; i < end; ++i) changes += (sound[i - 1] < 0) != (sound[i] < 0);
  return changes / (2 * (to_s - from_s));
}

// What changes fast: the second difference, which weighs frequencies by their square.
Sound Treble(const Sound& sound) {
  Sound treble(sound.size(), 0.0f);
  for (size_t i = 2; i < sound.size(); ++i) treble[i] = sound[i] - 2 * sound[i - 1] + sound[i - 2];
  return treble;
}

TEST_F(Examples, Processors) {
  EXPECT_THAT(Run("processors"), HasSubstr("Run() equals the two steps: yes"));
  const Sound harmonic = Heard("harmonic");
  EXPECT_NEAR(PitchHz(harmonic, 0.5), 440, 2);
  EXPECT_LT(LevelDb(harmonic, 0.8, 1), LevelDb(harmonic, 0, 0.2) - 10);
}

TEST_F(Examples, SynthsAndEffects) {
  Run("synths_and_effects");
  const Sound noise = Heard("filtered_noise");
  EXPECT_LT(ZeroCrossingHz(noise, 0.1, 0.2), 2000);
  EXPECT_GT(ZeroCrossingHz(noise, 0.8, 0.9), 5000);
  EXPECT_NEAR(PitchHz(Heard("wavetable"), 0.5) / 220, 1, 0.05);
  EXPECT_EQ(Heard("sinusoidal").size(), 16000u);

  const Sound dry = Heard("dry");
  EXPECT_NEAR(PitchHz(dry, 0.12), 220, 2);
  EXPECT_LT(LevelDb(dry, 0.35, 0.45), -80);              // a rest
  EXPECT_GT(LevelDb(Heard("reverb"), 0.35, 0.45), -50);  // in which the room rings
  EXPECT_LT(LevelDb(Treble(Heard("fir_filter")), 0.6, 0.7), LevelDb(Treble(dry), 0.6, 0.7) - 6);
  const Sound chorus = Heard("chorus");
  EXPECT_GT(LevelDb(chorus, 0.1, 0.2), LevelDb(dry, 0.1, 0.2) - 6);
  EXPECT_NE(chorus, dry);
}

TEST_F(Examples, ProcessorGroup) {
  EXPECT_THAT(Run("processor_group"), HasSubstr("reverb/signal"));
  EXPECT_NEAR(PitchHz(Heard("harmonic"), 0.5) / 294, 1, 0.05);
  EXPECT_GT(LevelDb(Heard("noise"), 0.2, 0.8), -70);
  // The room adds to what goes in.
  EXPECT_NE(Heard("group"), Heard("harmonic"));
}

std::vector<double> Losses(const std::string& said) {
  std::vector<double> losses;
  const std::regex line("loss ([0-9.]+)");
  for (std::sregex_iterator i(said.begin(), said.end(), line), end; i != end; ++i) losses.push_back(std::stod((*i)[1]));
  return losses;
}

TEST_F(Examples, OverfitOneNote) {
  const std::string said = Run("overfit_one_note");
  const std::vector<double> losses = Losses(said);
  ASSERT_EQ(losses.size(), 6u) << said;
  EXPECT_LT(losses.back(), 0.4 * losses.front()) << said;
  EXPECT_NEAR(LevelDb(Heard("learned"), 0.4, 0.6), LevelDb(Heard("target"), 0.4, 0.6), 6);
}

// Five seconds of a flute: after a few steps the model plays its notes at about its level.
TEST_F(Examples, TrainAutoencoder) {
  const std::string flute = DDSP_SOURCE_DIR "/testdata/audio/clips/flute_phrase.wav";
  const std::string said = Run("train_autoencoder", flute + " " + folder_.path() + " 60");
  const std::vector<double> losses = Losses(said);
  ASSERT_EQ(losses.size(), 5u) << said;
  EXPECT_LT(losses.back(), 0.7 * losses.front()) << said;
  const Sound recording = Heard("recording"), resynthesis = Heard("resynthesis");
  ASSERT_EQ(resynthesis.size(), recording.size());
  EXPECT_NEAR(LevelDb(resynthesis, 0.2, 0.8), LevelDb(recording, 0.2, 0.8), 6);
  EXPECT_NEAR(12 * std::log2(PitchHz(resynthesis, 0.5) / PitchHz(recording, 0.5)), 0, 0.5);
}

TEST_F(Examples, CoreFunctions) {
  EXPECT_THAT(Run("core_functions"), HasSubstr("window   envelope"));
  EXPECT_NEAR(PitchHz(Heard("wavetable"), 0.5) / 311, 1, 0.05);
  EXPECT_LT(ZeroCrossingHz(Heard("frequency_filter"), 0.2, 0.8), 2000);
  const Sound bank = Heard("oscillator_bank"), echo = Heard("echo");
  for (int i = 0; i < 3999; ++i) ASSERT_NEAR(echo[i], bank[i], 1e-4) << i;
  for (int i = 4000; i < 15000; ++i) ASSERT_NEAR(echo[i], bank[i] + 0.5 * bank[i - 3999], 1e-4) << i;
}

// Trained briefly on made-up notes, the model hears pitch far better than at first.
TEST_F(Examples, PitchDetection) {
  const std::string said = Run("pitch_detection");
  std::vector<double> errors;
  const std::regex line("off by ([0-9.]+) semitones");
  for (std::sregex_iterator i(said.begin(), said.end(), line), end; i != end; ++i) errors.push_back(std::stod((*i)[1]));
  ASSERT_EQ(errors.size(), 5u) << said;
  EXPECT_LT(errors.back(), 0.6 * errors.front()) << said;
  EXPECT_GT(LevelDb(Heard("sinusoidal"), 0.4, 0.6), -60);
  EXPECT_GT(LevelDb(Heard("harmonic"), 0.4, 0.6), -60);
  // The sine has the pitch that the model says it heard.
  std::smatch heard;
  ASSERT_TRUE(std::regex_search(said, heard, std::regex("0.48 s +tracker +([0-9.]+) Hz +model +([0-9.]+) Hz"))) << said;
  EXPECT_NEAR(ZeroCrossingHz(Heard("sine"), 0.44, 0.52) / std::stod(heard[2]), 1, 0.15) << said;
  EXPECT_NEAR(std::stod(heard[1]) / 261.6, 1, 0.06);
  EXPECT_GT(std::filesystem::file_size(folder_.path() + "/f0.png"), 1000u);
}

TEST_F(Examples, TimbreTransfer) {
  const std::string voice = testing::WriteTestBundle(folder_.path());
  const std::string in = folder_.path() + "/in.wav", out = folder_.path() + "/out.wav";
  ASSERT_TRUE(WriteWav(in, {16000, 1, testing::TestMelody(32000)}).ok());
  EXPECT_THAT(Run("timbre_transfer", in + " " + voice + " " + out), HasSubstr("s of notes"));
  const Sound played = ReadWav(out)->samples;
  EXPECT_GE(played.size(), 32000u);
  EXPECT_GT(LevelDb(played, 0.5, 1.5), -60);
}

}  // namespace
}  // namespace ddsp
