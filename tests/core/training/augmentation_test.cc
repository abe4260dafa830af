#include "core/training/augmentation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <numbers>

#include "core/training/trainer.h"

namespace ddsp::training {
namespace {

constexpr int64_t kHop = 320, kWindow = 64000;

// 12 s of a sine; its features say so, and how far into the recording they are: power falls by a decibel a second.
Dataset Sine(double hz, double amplitude = 0.5) {
  std::vector<float> audio(12 * 16000);
  for (size_t i = 0; i < audio.size(); ++i) {
    audio[i] = static_cast<float>(amplitude * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / 16000));
  }
  Recording recording{"sine.wav", std::move(audio), std::vector<FeatureFrame>(12 * 50 + 1)};
  for (size_t t = 0; t < recording.frames.size(); ++t) {
    recording.frames[t] = {static_cast<float>(hz), 0.9f, true, -20, -10 - static_cast<float>(t) / 50};
  }
  Dataset dataset;
  dataset.recordings.push_back(std::move(recording));
  return dataset;
}

constexpr Segment kSomewhere{0, 32000, 32000 + kWindow};

TEST(VaryWindow, WithoutVariationIsTheWindow) {
  const Dataset dataset = Sine(440);
  const WindowSound sound = VaryWindow(dataset, kSomewhere, {});
  std::vector<float> audio(kWindow);
  CopyAudio(dataset, kSomewhere, audio.data());
  EXPECT_EQ(sound.audio, audio);
  ASSERT_EQ(sound.frames.size(), 201);
  EXPECT_EQ(sound.frames[7].power_db, CopyFrames(dataset, kSomewhere)[7].power_db);
}

TEST(VaryWindow, PlaysASineHigherAndLower) {
  for (const double hz : {110.0, 1000.0, 5000.0}) {
    const Dataset dataset = Sine(hz);
    for (const double semitones : {-5.0, -0.3, 0.7, 4.0}) {
      const double speed = std::exp2(semitones / 12);
      const WindowSound sound = VaryWindow(dataset, kSomewhere, {semitones, 0});
      ASSERT_EQ(sound.audio.size(), kWindow);
      double worst = 0;
      for (int64_t n = 0; n < kWindow; ++n) {
        const double at = static_cast<double>(kSomewhere.begin) + static_cast<double>(n) * speed;
        worst = std::max(worst, std::fabs(sound.audio[n] - 0.5 * std::sin(2 * std::numbers::pi * hz * at / 16000)));
      }
      EXPECT_LT(worst, 1e-3) << hz << " Hz by " << semitones;
      ASSERT_EQ(sound.frames.size(), 201);
      for (const int64_t t : {0, 1, 77, 200}) {
        EXPECT_NEAR(sound.frames[t].f0_hz, hz * speed, 1e-3 * hz);
        // The frame of that moment: power tells when it was.
        EXPECT_NEAR(sound.frames[t].power_db, -12 - static_cast<double>(t) * speed / 50, 1e-4);
      }
    }
  }
}

TEST(VaryWindow, FoldsNothingBackFromAboveNyquist) {
  const WindowSound sound = VaryWindow(Sine(7000), kSomewhere, {5, 0});  // 9344 Hz
  for (const float sample : sound.audio) ASSERT_LT(std::fabs(sample), 1e-3);
}

TEST(VaryWindow, IsSilentBeyondTheRecording) {
  const Dataset dataset = Sine(440);
  const WindowSound sound = VaryWindow(dataset, {0, 8 * 16000, 12 * 16000}, {12 * std::log2(1.25), 0});
  EXPECT_NEAR(sound.audio[51000], 0.5 * std::sin(2 * std::numbers::pi * 550 * 51000.0 / 16000), 1e-3);
  EXPECT_EQ(sound.audio[51400], 0) << "3.2 s hold the last 4 s";
  EXPECT_TRUE(sound.frames[150].voiced);
  EXPECT_FALSE(sound.frames[170].voiced);
  EXPECT_EQ(sound.frames[170].power_db, -80);
}

TEST(VaryWindow, GainMovesSoundAndLevelsButNotSilence) {
  Dataset dataset = Sine(440);
  dataset.recordings[0].frames[110].power_db = -80;
  const WindowSound plain = VaryWindow(dataset, kSomewhere, {}), louder = VaryWindow(dataset, kSomewhere, {0, 6});
  const WindowSound quiet = VaryWindow(dataset, kSomewhere, {0, -75});
  EXPECT_NEAR(louder.audio[1234], plain.audio[1234] * 1.99526, 1e-5);
  EXPECT_FLOAT_EQ(louder.frames[3].power_db, plain.frames[3].power_db + 6);
  EXPECT_FLOAT_EQ(louder.frames[3].loudness_db, -14);
  EXPECT_EQ(louder.frames[3].f0_hz, 440);
  EXPECT_EQ(louder.frames[10].power_db, -80);
  EXPECT_EQ(quiet.frames[3].power_db, -80) << "no lower than the extractor's floor";
}

TEST(DrawVariation, IsUniformWithinItsLimitsAndDependsOnItsArgumentsAlone) {
  const AugmentationOptions options{2, 6};
  double sum = 0, squares = 0;
  for (int64_t step = 0; step < 100; ++step) {
    for (int64_t item = 0; item < 16; ++item) {
      const Variation variation = DrawVariation(options, 7, step, item), again = DrawVariation(options, 7, step, item);
      EXPECT_EQ(variation.pitch_semitones, again.pitch_semitones);
      EXPECT_EQ(variation.gain_db, again.gain_db);
      EXPECT_LE(std::fabs(variation.pitch_semitones), 2);
      EXPECT_LE(std::fabs(variation.gain_db), 6);
      sum += variation.pitch_semitones;
      squares += variation.pitch_semitones * variation.pitch_semitones;
    }
  }
  EXPECT_NEAR(sum / 1600, 0, 0.1);
  EXPECT_NEAR(squares / 1600, 4.0 / 3, 0.1);
  EXPECT_NE(DrawVariation(options, 7, 0, 0).gain_db, DrawVariation(options, 8, 0, 0).gain_db);
  EXPECT_EQ(DrawVariation({0, 6}, 7, 3, 1).pitch_semitones, 0);
}

// The workers of a batch vary their items as one would.
TEST(MakeBatch, TakesTheVariationOfEachWindow) {
  const Dataset dataset = Sine(440);
  const TrainingBatch batch = MakeBatch({}, dataset, {kSomewhere, kSomewhere}, {{0, 0}, {12 * std::log2(1.5), 6}});
  EXPECT_NEAR(batch.controls.f0_hz[0][5].item<float>(), 440, 1e-3);
  EXPECT_NEAR(batch.controls.f0_hz[1][5].item<float>(), 660, 1e-2);
  EXPECT_NEAR(batch.controls.level_db[1][0].item<float>(), -6, 1e-3);
}

}  // namespace
}  // namespace ddsp::training
