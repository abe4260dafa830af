#pragma once

#include <array>
#include <span>
#include <vector>

#include "core/features/periodicity.h"
#include "core/kernels/cosine_sums.h"

namespace ddsp {

// Finds the peak of an autocorrelation between whole lags.
//
// The autocorrelation is that of a moderately compressed spectrum: its peak lies at the period, and a strong partial's
// own modulation does not decide alone.
class FineLagSearch {
 public:
  // One half of the spectrum's first bin, the other bins up to kHighestHz, zeros.
  using Spectrum = std::array<float, 400>;

  // Of what `view` measures; sample_rate in Hz.
  FineLagSearch(const Periodicity& view, int sample_rate);

  void Compress(const Periodicity::Power& power, Spectrum& spectrum) const;

  // The lag of the peak near `lag`, in samples.
  double PeakNear(double lag, const Spectrum& spectrum) const;

 private:
  static constexpr double kHighestHz = 3000.0;

  // A look at three lags, `width` apart.
  struct Round {
    double width;
    kernels::CosineSums sums;
  };

  // Turn of a spectrum's bins, from one to the next, per sample of lag.
  double turn_;
  size_t bins_;
  std::vector<float> window_correlation_;
  std::vector<Round> rounds_;
};

}  // namespace ddsp
