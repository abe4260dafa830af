#include "core/features/periodicity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <random>
#include <span>
#include <vector>

#include "core/features/pitch_views.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

constexpr int kSampleRate = 16000;
constexpr int kBins = PitchGrid::kBins;

// Tones of many pitches, with noise; at last noise alone.
std::vector<std::vector<float>> Sounds(int size) {
  std::vector<std::vector<float>> sounds;
  std::mt19937 random(3);
  std::normal_distribution<double> normal(0.0, 0.02);
  for (double hz : {55.0, 98.3, 147.0, 220.0, 466.2, 880.5, 1500.0, 2050.0, 0.0}) {
    std::vector<float> sound(size);
    for (int i = 0; i < size; ++i) {
      double x = normal(random);
      for (int h = 1; h <= 5; ++h) x += 0.3 / h * std::sin(2.0 * std::numbers::pi * h * hz * i / kSampleRate);
      sound[i] = static_cast<float>(x);
    }
    sounds.push_back(sound);
  }
  return sounds;
}

std::vector<double> SlowCorrelation(std::span<const float> samples, const Periodicity& periodicity) {
  const int size = static_cast<int>(samples.size());
  std::vector<double> x(size), result;
  for (int i = 0; i < size; ++i) {
    x[i] = samples[i] * (0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * (i + 0.5) / size));
  }
  for (int lag = 0; lag < periodicity.lags(); ++lag) {
    double sum = 0.0;
    for (int i = 0; i + lag < size; ++i) sum += x[i] * x[i + lag];
    result.push_back(sum / std::max(0.05f, periodicity.window_correlation()[lag]));
  }
  for (int lag = periodicity.lags() - 1; lag >= 0; --lag) result[lag] /= result[0];
  return result;
}

TEST(Periodicity, CorrelationIsThatOfTheWindowedSamples) {
  for (const PitchView& view : kPitchViews) {
    const Periodicity periodicity = view.MakePeriodicity(kSampleRate);
    for (const std::vector<float>& sound : Sounds(view.size)) {
      Periodicity::Power power;
      Periodicity::Reading reading;
      periodicity.Measure(sound, power, reading);
      const std::vector<double> expected = SlowCorrelation(sound, periodicity);
      for (int lag = 0; lag < periodicity.lags(); ++lag) {
        // The correction of the longest lags is twenty.
        ASSERT_NEAR(reading.correlation[lag], expected[lag], 1e-5) << lag;
      }
    }
  }
}

// What at_period is to say, read from a correlation one candidate and one lag after the other.
class SlowReader {
 public:
  SlowReader(std::span<const float> correlation, int first_bin)
      : correlation_(correlation), first_bin_(first_bin), at_period_(kBins) {
    for (int bin = first_bin; bin < kBins; ++bin) ReadBin(bin);
    const int shortest = static_cast<int>(kSampleRate / PitchGrid::Hz(kBins - 0.5));
    for (int lag = shortest; lag + 1 < static_cast<int>(correlation.size()); ++lag) ReadPeak(lag);
  }
  const std::vector<double>& at_period() const { return at_period_; }

 private:
  double StandingOut(double value, int lag) const {
    const double lowest = *std::min_element(correlation_.begin(), correlation_.begin() + lag + 1);
    return std::min(value, 2.0 * (value - lowest));
  }
  void ReadBin(int bin) {
    const double lag = kSampleRate / PitchGrid::Hz(bin);
    const int i = static_cast<int>(lag);
    const double f = lag - i, a = correlation_[i - 1], b = correlation_[i], c = correlation_[i + 1],
                 d = correlation_[i + 2];
    const double value = b + 0.5 * f * (c - a + f * (2.0 * a - 5.0 * b + 4.0 * c - d + f * (3.0 * (b - c) + d - a)));
    at_period_[bin] = StandingOut(value, i);
  }
  void ReadPeak(int lag) {
    const double a = correlation_[lag - 1], b = correlation_[lag], c = correlation_[lag + 1];
    if (b <= 0.0 || b < a || b <= c) return;
    const double shift = 0.5 * (a - c) / (a - 2.0 * b + c);
    const int bin = PitchGrid::Bin(kSampleRate / (lag + shift));
    if (bin < first_bin_) return;
    at_period_[bin] = std::max(at_period_[bin], StandingOut(b - 0.25 * (a - c) * shift, lag));
  }

  const std::span<const float> correlation_;
  const int first_bin_;
  std::vector<double> at_period_;
};

TEST(Periodicity, PeriodsAreReadAsDefined) {
  for (const PitchView& view : kPitchViews) {
    const Periodicity periodicity = view.MakePeriodicity(kSampleRate);
    for (const std::vector<float>& sound : Sounds(view.size)) {
      Periodicity::Power power;
      Periodicity::Reading reading;
      periodicity.Measure(sound, power, reading);
      const SlowReader slow(std::span(reading.correlation).first(periodicity.lags()), PitchGrid::Bin(view.lowest_hz));
      for (int bin = 0; bin < kBins; ++bin) ASSERT_NEAR(reading.at_period[bin], slow.at_period()[bin], 1e-5) << bin;
    }
  }
}

TEST(Periodicity, ShapesMatchBestWhereTheirHarmonicsAre) {
  const Periodicity periodicity = kPitchViews[0].MakePeriodicity(kSampleRate);
  for (double hz : {98.3, 147.0, 220.0, 466.2, 880.5}) {
    std::vector<float> sound(kPitchViews[0].size);
    for (size_t i = 0; i < sound.size(); ++i) {
      for (int h = 1; h <= 5; ++h) {
        sound[i] += static_cast<float>(0.3 / h * std::sin(2.0 * std::numbers::pi * h * hz * i / kSampleRate));
      }
    }
    Periodicity::Power power;
    Periodicity::Reading reading;
    periodicity.Measure(sound, power, reading);
    periodicity.MatchHarmonics(&reading, sizeof(reading), 1);
    const auto& match = reading.at_harmonics;
    EXPECT_NEAR(std::max_element(match.begin(), match.end()) - match.begin(), PitchGrid::Bin(hz), 1) << hz;
  }
}

TEST(Periodicity, AReadingMatchesTheSameInAnyCompany) {
  constexpr int kCompany = 30;
  const Periodicity periodicity = kPitchViews[3].MakePeriodicity(kSampleRate);
  const std::vector<std::vector<float>> sounds = Sounds(kPitchViews[3].size);
  Periodicity::Power power;
  // Readings may lie further apart than they are long.
  std::vector<std::array<Periodicity::Reading, 2>> together(kCompany);
  for (int i = 0; i < kCompany; ++i) periodicity.Measure(sounds[i % sounds.size()], power, together[i][0]);
  periodicity.MatchHarmonics(&together[0][0], sizeof(together[0]), kCompany);
  for (int i = 0; i < kCompany; ++i) {
    Periodicity::Reading alone = together[i][0];
    alone.at_harmonics.fill(std::numeric_limits<float>::quiet_NaN());
    periodicity.MatchHarmonics(&alone, sizeof(alone), 1);
    ASSERT_EQ(alone.at_harmonics, together[i][0].at_harmonics) << i;
  }
}

}  // namespace
}  // namespace ddsp
