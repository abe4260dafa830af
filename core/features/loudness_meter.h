#pragma once

#include <span>
#include <vector>

#include "core/features/real_fft.h"

namespace ddsp {

// A-weighted loudness of one frame: Hann window, power spectrum, A-weighting, mean over the bins, in dB, at least -80.
// The compute_loudness of ddsp 3.7.0; neither window nor transform is normalised, so a full-scale 1 kHz sine has +19.8
// dB at 512 samples.
class LoudnessMeter {
 public:
  // `fft_size` as PowerSpectrum; sample_rate in Hz.
  LoudnessMeter(int sample_rate, int fft_size);

  // `frame` has fft_size samples.
  float LoudnessDb(std::span<const float> frame) const;

 private:
  PowerSpectrum spectrum_;
  std::vector<float> window_;
  // A-weighting of each bin as a power gain over the number of bins.
  std::vector<float> weight_;
};

}  // namespace ddsp
