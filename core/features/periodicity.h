#pragma once

#include <span>
#include <vector>

#include "core/features/pitch_grid.h"
#include "core/kernels/dense.h"
#include "core/kernels/fft.h"

namespace ddsp {

// How well the candidate pitches from first_bin on explain one Hann-windowed piece of sound, two ways:
// the autocorrelation at one period (blind to nothing, but as large at two periods), and the match of the compressed
// spectrum with the first and the prime harmonics, the valleys between counting against a pitch (an octave below
// finds half of its harmonics missing, an octave above finds peaks in its valleys). The second is the idea of SWIPE',
// Camacho and Harris 2008; the window correction of the first is Boersma's, 1993.
class Periodicity {
 public:
  static constexpr int kMaxWindow = 1024;
  static constexpr int kMaxFft = 2048;
  static constexpr int kMinLags = 120;
  static constexpr int kMaxLag = 328;
  static constexpr double kTemplateHz = 5000.0;

  struct Result {
    // |spectrum|^2, spectrum_bins() of them, hz_per_bin() apart.
    std::span<float> power;
    // [lag] autocorrelation over that at lag 0, corrected for the window; lags() of them,
    // kMinLags to kMaxLag.
    std::span<float> correlation;
    // [grid bin] the largest correlation within the candidate's 50 cents, and the match with its harmonics, each at
    // most about 1; 0 below first_bin.
    std::span<float> at_period;
    std::span<float> at_harmonics;
  };

  // window <= kMaxWindow < fft <= kMaxFft, powers of two or sums of a few, long enough for the lowest pitch's lag.
  Periodicity(int sample_rate, int window, int fft, int first_bin);

  int window() const { return static_cast<int>(window_.size()); }
  int spectrum_bins() const { return static_cast<int>(template_.inputs()); }
  int lags() const { return lags_; }
  double hz_per_bin() const { return hz_per_bin_; }
  // Autocorrelation of the window itself, 1 at lag 0.
  std::span<const float> window_correlation() const { return window_correlation_; }

  // `samples` has window() of them.
  void Measure(std::span<const float> samples, const Result& result) const;

 private:
  void MatchHarmonics(std::span<const float> power, std::span<float> at_harmonics) const;
  void ReadPeriods(std::span<const float> correlation, std::span<float> at_period) const;

  // Where the correlation of a grid bin is read: four lags from `lag` on, weighted (cubic interpolation).
  struct Tap {
    int lag;
    float weight[4];
  };

  int sample_rate_;
  int first_bin_, lags_;
  double hz_per_bin_;
  kernels::RealFft fft_;
  std::vector<float> window_, window_correlation_, correction_;
  std::vector<Tap> taps_;
  kernels::PackedDense template_;
};

}  // namespace ddsp
