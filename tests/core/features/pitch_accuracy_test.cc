#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "core/base/wav.h"
#include "core/features/feature_extractor.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

double Cents(double hz, double reference) { return 1200.0 * std::log2(hz / reference); }

// Harmonics that sweep from `low` to `high` Hz; the oracle is the sweep's formula.
void CheckSweep(double low, double high, int harmonics, double worst_cents, double mean_cents) {
  const double seconds = 20.0, rate = std::log(high / low) / seconds;
  std::vector<float> audio(static_cast<size_t>(seconds * 16000));
  for (size_t i = 0; i < audio.size(); ++i) {
    const double phase = 2.0 * std::numbers::pi * low * (std::exp(rate * i / 16000.0) - 1.0) / rate;
    for (int h = 1; h <= harmonics; ++h) audio[i] += static_cast<float>(0.3 / h * std::sin(h * phase));
  }
  const auto frames = (*FeatureExtractor::Create({.frame_rate = 100}))->Extract(audio);
  double sum = 0.0;
  int count = 0;
  for (size_t t = 10; t + 10 < frames.size(); ++t, ++count) {
    const double error = Cents(frames[t].f0_hz, low * std::exp(rate * t / 100.0));
    EXPECT_TRUE(frames[t].voiced) << t;
    EXPECT_LT(std::abs(error), worst_cents) << "frame " << t << ", " << low * std::exp(rate * t / 100.0) << " Hz";
    sum += std::abs(error);
  }
  EXPECT_LT(sum / count, mean_cents);
}

TEST(Pitch, FollowsASlowSweepOverTheRange) { CheckSweep(50.5, 2080.0, 4, 12.0, 1.0); }

// A sine alone has less to hold on to: below 100 Hz the window sees few of its periods.
TEST(Pitch, FollowsASineSweep) { CheckSweep(100.0, 2080.0, 1, 12.0, 1.0); }

TEST(Pitch, IsExactOnSteadyTones) {
  const auto extractor = *FeatureExtractor::Create({});
  for (double hz = 52.0; hz < 2090.0; hz *= 1.0713) {
    std::vector<float> audio(12800);
    for (size_t i = 0; i < audio.size(); ++i) {
      for (int h = 1; h <= 6 && h * hz < 7900.0; ++h) {
        audio[i] += static_cast<float>(0.2 / h * std::sin(2.0 * std::numbers::pi * hz * h * i / 16000.0 + h));
      }
    }
    const auto frames = extractor->Extract(audio);
    // The long window holds only three periods of the lowest.
    const double tolerance = hz < 100.0 ? 4.0 : 1.0;
    for (size_t t = 4; t + 4 < frames.size(); ++t) EXPECT_NEAR(Cents(frames[t].f0_hz, hz), 0.0, tolerance) << hz;
  }
}

// The pitch truth of a test melody, leaving out what the recording does not settle: for 60 ms after a note begins the
// one before it may still be louder.
struct Truth {
  std::vector<double> f0_hz;
  std::vector<int> voiced;
  std::vector<bool> settled;
};

std::string MelodyPath(const std::string& voice, const std::string& end) {
  return std::string(DDSP_TESTDATA) + "/audio/test/" + voice + end;
}

Truth ReadTruth(const std::string& voice, int frame_rate) {
  Truth truth;
  std::ifstream csv(MelodyPath(voice, "_f0_" + std::to_string(frame_rate) + ".csv"));
  std::string line;
  std::getline(csv, line);
  while (std::getline(csv, line)) {
    double time = 0.0, f0_hz = 0.0;
    int voiced = 0;
    EXPECT_EQ(std::sscanf(line.c_str(), "%lf,%lf,%d", &time, &f0_hz, &voiced), 3);
    truth.f0_hz.push_back(f0_hz);
    truth.voiced.push_back(voiced && f0_hz > 0.0);
  }
  truth.settled.assign(truth.f0_hz.size(), true);
  std::ifstream notes(MelodyPath(voice, "_notes.json"));
  const std::string json((std::istreambuf_iterator<char>(notes)), {});
  const std::string key = "\"start_s\":";
  for (size_t at = json.find(key); at != std::string::npos; at = json.find(key, at + 1)) {
    const double start = std::stod(json.substr(at + key.size(), 16));
    for (size_t t = 0; t < truth.settled.size(); ++t) {
      const double since = static_cast<double>(t) / frame_rate - start;
      if (since > -1e-6 && since < 0.06) truth.settled[t] = false;
    }
  }
  return truth;
}

struct Score {
  double accuracy = 0.0;          // share of the voiced frames within 50 cents
  double cents = 0.0;             // mean error of those
  double settled_accuracy = 0.0;  // the same without the first 60 ms of notes
  double settled_cents = 0.0;     // mean error of those within 50 cents
  double recall = 0.0;            // share of the voiced frames called voiced
  double false_alarms = 0.0;      // share of the others called voiced
};

Score ScoreFrames(const Truth& truth, const std::vector<FeatureFrame>& frames) {
  double voiced = 0, right = 0, settled = 0, settled_right = 0, cents = 0, settled_cents = 0, found = 0, unvoiced = 0,
         alarms = 0;
  for (size_t t = 0; t < truth.f0_hz.size(); ++t) {
    if (!truth.voiced[t]) {
      ++unvoiced;
      alarms += frames[t].voiced;
      continue;
    }
    const double error = std::abs(Cents(frames[t].f0_hz, truth.f0_hz[t]));
    ++voiced;
    right += error < 50.0;
    found += frames[t].voiced;
    if (error < 50.0) cents += error;
    if (!truth.settled[t]) continue;
    ++settled;
    settled_right += error < 50.0;
    if (error < 50.0) settled_cents += error;
  }
  return {.accuracy = right / voiced,
          .cents = cents / right,
          .settled_accuracy = settled_right / settled,
          .settled_cents = settled_cents / settled_right,
          .recall = found / voiced,
          .false_alarms = alarms / unvoiced};
}

std::vector<float> AddPinkNoise(std::vector<float> audio, double snr_db) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<float> noise(audio.size());
  double a = 0.0, b = 0.0, c = 0.0, noise_energy = 0.0, energy = 0.0;
  for (size_t i = 0; i < audio.size(); ++i) {
    const double white = normal(random);
    a = 0.99765 * a + white * 0.0990460;
    b = 0.96300 * b + white * 0.2965164;
    c = 0.57000 * c + white * 1.0526913;
    noise[i] = static_cast<float>(a + b + c + white * 0.1848);
    noise_energy += noise[i] * noise[i];
    energy += audio[i] * audio[i];
  }
  const double gain = std::sqrt(energy / noise_energy * std::pow(10.0, -snr_db / 10.0));
  for (size_t i = 0; i < audio.size(); ++i) audio[i] += static_cast<float>(gain * noise[i]);
  return audio;
}

class Melodies : public testing::TestWithParam<int> {
 protected:
  // Scores of violin, tenor sax, flute and trumpet.
  template <typename Change>
  std::vector<Score> ScoreAll(const Change& change) {
    const auto extractor = *FeatureExtractor::Create({.frame_rate = GetParam()});
    std::vector<Score> scores;
    for (const char* voice : {"violin", "tenor_sax", "flute", "trumpet"}) {
      const absl::StatusOr<Wav> wav = ReadWav(MelodyPath(voice, ".wav"));
      EXPECT_TRUE(wav.ok()) << wav.status();
      scores.push_back(ScoreFrames(ReadTruth(voice, GetParam()), extractor->Extract(change(wav->samples))));
    }
    return scores;
  }
};

double Mean(const std::vector<Score>& scores, double Score::*value) {
  double sum = 0.0;
  for (const Score& s : scores) sum += s.*value;
  return sum / scores.size();
}

TEST_P(Melodies, AreFollowed) {
  const std::vector<Score> scores = ScoreAll([](std::vector<float> audio) { return audio; });
  for (const Score& score : scores) {
    EXPECT_GE(score.settled_accuracy, 0.99);
    EXPECT_GE(score.accuracy, 0.975);
    EXPECT_GE(score.recall, 0.985);
  }
  EXPECT_GE(Mean(scores, &Score::settled_accuracy), 0.995);
  EXPECT_GE(Mean(scores, &Score::accuracy), 0.985);
  EXPECT_LE(Mean(scores, &Score::cents), 5.5);
  EXPECT_LE(Mean(scores, &Score::settled_cents), 5.2);
  EXPECT_LE(Mean(scores, &Score::false_alarms), 0.06);
}

TEST_P(Melodies, AreFollowedThroughPinkNoise) {
  const std::vector<Score> scores =
      ScoreAll([](std::vector<float> audio) { return AddPinkNoise(std::move(audio), 10.0); });
  for (const Score& score : scores) EXPECT_GE(score.accuracy, 0.94);
  EXPECT_GE(Mean(scores, &Score::accuracy), 0.955);
  EXPECT_GE(Mean(scores, &Score::settled_accuracy), 0.97);
  EXPECT_LE(Mean(scores, &Score::false_alarms), 0.02);
}

INSTANTIATE_TEST_SUITE_P(FrameRates, Melodies, testing::Values(50, 250));

// Without pitch truth: the share of voiced frames inside the range that the recordings are known to keep to.
TEST(Pitch, FindsTheOctaveOfVoices) {
  struct Case {
    const char* name;
    double low, high, share;
  };
  const Case cases[] = {{"flute_phrase", 280, 610, 0.99},
                        {"singing", 280, 540, 0.98},
                        {"speech_en", 60, 170, 0.92},
                        {"speech_ru", 70, 210, 0.92}};
  const auto extractor = *FeatureExtractor::Create({.frame_rate = 100});
  for (const Case& c : cases) {
    const auto wav = ReadWav(std::string(DDSP_TESTDATA) + "/audio/clips/" + c.name + ".wav");
    ASSERT_TRUE(wav.ok()) << wav.status();
    double voiced = 0, inside = 0;
    for (const FeatureFrame& frame : extractor->Extract(wav->samples)) {
      if (!frame.voiced) continue;
      ++voiced;
      inside += frame.f0_hz > c.low && frame.f0_hz < c.high;
    }
    EXPECT_GT(voiced, 100) << c.name;
    EXPECT_GE(inside / voiced, c.share) << c.name;
  }
}

}  // namespace
}  // namespace ddsp
