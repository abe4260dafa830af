#include "core/features/fine_lag_search.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include "core/features/pitch_views.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

constexpr int kSampleRate = 16000;

const Periodicity& LongView() {
  static const Periodicity view = kPitchViews[0].MakePeriodicity(kSampleRate);
  return view;
}

Periodicity::Power PowerOfTone(double hz, double noise) {
  std::mt19937 random(static_cast<unsigned>(hz));
  std::normal_distribution<double> normal;
  std::vector<float> samples(LongView().window());
  for (size_t i = 0; i < samples.size(); ++i) {
    double x = noise * normal(random);
    for (int h = 1; h <= 8; ++h) x += 0.3 / h * std::sin(2.0 * std::numbers::pi * h * hz * i / kSampleRate + h * h);
    samples[i] = static_cast<float>(x);
  }
  Periodicity::Power power;
  Periodicity::Reading reading;
  LongView().Measure(samples, power, reading);
  return power;
}

// The autocorrelation of the compressed spectrum, corrected for the window, at any lag.
double CorrelationAt(double lag, const Periodicity::Power& power) {
  const int bins = static_cast<int>(3000.0 / LongView().hz_per_bin()) + 1;
  double sum = 0.5 * std::pow(power[0], 0.75);
  for (int k = 1; k < bins; ++k) {
    sum += std::pow(static_cast<double>(power[k]), 0.75) *
           std::cos(2.0 * std::numbers::pi * k * lag * LongView().hz_per_bin() / kSampleRate);
  }
  const auto window = LongView().window_correlation();
  const int at = static_cast<int>(lag);
  return sum / (window[at] + (lag - at) * (window[at + 1] - window[at]));
}

// The parabolas through three points of the definition.
double SlowPeakNear(double lag, const Periodicity::Power& power) {
  for (const double width : {0.5, 0.3, 0.18, 0.108}) {
    const double a = CorrelationAt(lag - width, power), b = CorrelationAt(lag, power),
                 c = CorrelationAt(lag + width, power), curve = a - 2.0 * b + c;
    if (!(curve < 0.0)) break;
    lag += std::clamp(0.5 * (a - c) / curve, -2.0, 2.0) * width;
    lag = std::clamp(lag, 2.0, LongView().lags() - 3.0);
  }
  return lag;
}

TEST(FineLagSearch, FindsThePeakOfTheDefinition) {
  const FineLagSearch search(LongView(), kSampleRate);
  for (const double noise : {0.0, 0.02}) {
    for (double hz = 51.0; hz < 2090.0; hz *= 1.0713) {
      const Periodicity::Power power = PowerOfTone(hz, noise);
      FineLagSearch::Spectrum spectrum;
      search.Compress(power, spectrum);
      const double start = std::round(kSampleRate / hz), lag = search.PeakNear(start, spectrum);
      // A hundredth of a cent.
      EXPECT_NEAR(lag, SlowPeakNear(start, power), 6e-6 * lag) << hz;
      if (noise > 0.0 || hz < 100.0 || hz > 1000.0) continue;
      EXPECT_NEAR(1200.0 * std::log2(kSampleRate / lag / hz), 0.0, 1.0) << hz;
    }
  }
}

TEST(FineLagSearch, OfSilenceStaysWhereItIs) {
  const FineLagSearch search(LongView(), kSampleRate);
  FineLagSearch::Spectrum spectrum;
  search.Compress(Periodicity::Power{}, spectrum);
  EXPECT_EQ(search.PeakNear(100.0, spectrum), 100.0);
}

}  // namespace
}  // namespace ddsp
