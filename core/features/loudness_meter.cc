#include "core/features/loudness_meter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "core/kernels/dot.h"

namespace ddsp {
namespace {

// IEC 61672 A-weighting in dB, at least -80 (0 Hz included).
double AWeightingDb(double hz) {
  const double f2 = hz * hz;
  const double c1 = 12194.217 * 12194.217, c2 = 20.598997 * 20.598997, c3 = 107.65265 * 107.65265,
               c4 = 737.86223 * 737.86223;
  const double gain = c1 * f2 * f2 / ((f2 + c1) * (f2 + c2) * std::sqrt((f2 + c3) * (f2 + c4)));
  return gain > 0.0 ? std::max(-80.0, 2.0 + 20.0 * std::log10(gain)) : -80.0;
}

}  // namespace

LoudnessMeter::LoudnessMeter(int sample_rate, int fft_size)
    : spectrum_(fft_size), window_(fft_size), weight_(spectrum_.bins()) {
  for (int i = 0; i < fft_size; ++i) {
    window_[i] = static_cast<float>(0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * i / fft_size));
  }
  for (int k = 0; k < spectrum_.bins(); ++k) {
    weight_[k] = static_cast<float>(
        std::pow(10.0, AWeightingDb(static_cast<double>(k) * sample_rate / fft_size) / 10.0) / spectrum_.bins());
  }
}

float LoudnessMeter::LoudnessDb(std::span<const float> frame) const {
  std::array<float, PowerSpectrum::kMaxSize> windowed;
  std::array<float, PowerSpectrum::kMaxSize / 2 + 1> power;
  const int n = spectrum_.size();
  for (int i = 0; i < n; ++i) windowed[i] = frame[i] * window_[i];
  spectrum_.Compute(std::span(windowed).first(n), std::span(power).first(spectrum_.bins()));
  const double sum = kernels::Dot({power.data(), weight_.size()}, weight_);
  return static_cast<float>(10.0 * std::log10(std::max(1e-8, sum)));
}

}  // namespace ddsp
