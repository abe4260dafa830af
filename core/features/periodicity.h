#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/features/pitch_grid.h"
#include "core/kernels/dense.h"
#include "core/kernels/fft.h"
#include "core/kernels/lag_reading.h"

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
  static constexpr int kMaxSpectrum = 656;
  static constexpr int kMinLags = 120;
  static constexpr int kMaxLag = 328;
  static constexpr double kTemplateHz = 5000.0;

  // Powers of a whole spectrum: fft / 2 + 1 of them, hz_per_bin() apart.
  using Power = std::array<float, kMaxFft / 2 + 1>;

  struct Reading {
    // [lag] autocorrelation over that at lag 0, corrected for the window; lags() of them.
    std::array<float, kMaxLag> correlation;
    // The compressed spectrum, to be compared with the templates; spectrum_bins() of them, of norm 1.
    std::array<float, kMaxSpectrum> shape;
    // [grid bin] the largest correlation within the candidate's 50 cents, and the match with its harmonics, each at
    // most about 1; 0 below first_bin.
    std::array<float, PitchGrid::kBins> at_period;
    std::array<float, PitchGrid::kBins> at_harmonics;
  };

  // window <= kMaxWindow < fft <= kMaxFft, powers of two or sums of a few, long enough for the lowest pitch's lag.
  Periodicity(int sample_rate, int window, int fft, int first_bin);

  int window() const { return static_cast<int>(window_.size()); }
  int spectrum_bins() const { return static_cast<int>(template_.inputs()); }
  int lags() const { return lags_; }
  double hz_per_bin() const { return hz_per_bin_; }
  // Autocorrelation of the window itself, 1 at lag 0.
  std::span<const float> window_correlation() const { return window_correlation_; }

  // All of a reading but at_harmonics, and the power spectrum. `samples` has window() of them.
  void Measure(std::span<const float> samples, Power& power, Reading& reading) const;

  // at_harmonics of `count` readings that lie `stride` bytes apart, at once: the templates are far larger than the rest
  // and are read once. A reading's result is the same to the bit in any company.
  void MatchHarmonics(Reading* first, int64_t stride, int64_t count) const;

 private:
  void Correlate(const Power& power, std::span<float> correlation) const;
  void ReadPeriods(std::span<const float> correlation, std::span<float> at_period) const;
  // The candidate nearest to a period in samples.
  int BinOf(float period) const;

  int first_bin_, lags_, shortest_lag_;
  double hz_per_bin_;
  kernels::RealFft fft_;
  std::vector<float> window_, window_correlation_, correction_;
  // Where the correlation of a candidate is read: cubic interpolation.
  std::vector<kernels::LagTap> taps_;
  // The candidate nearest to the end of each part of a lag, and the shortest period that is a candidate's.
  std::vector<int> bin_of_cell_;
  std::vector<float> shortest_period_;
  kernels::PackedDense template_;
};

}  // namespace ddsp
