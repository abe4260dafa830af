// HarmonicBank in double arithmetic, with gradients for the pitch as well.
//
// For what the fast bank does not do: signals in double (gradient checks) and training through f0. T is the type of the
// arrays, float or double; phases, sines and sums are double.
#pragma once

#include <cstdint>
#include <vector>

#include "core/kernels/harmonic_bank.h"

namespace ddsp::kernels {

enum class Wave;

template <typename T>
class ExactHarmonicBank {
 public:
  explicit ExactHarmonicBank(const HarmonicBank::Options& options);

  // As HarmonicBank::Render(), from a phase of 0: f0_hz [frames], amplitudes [frames, harmonics], audio [frames * hop].
  void Render(const T* f0_hz, const T* amplitudes, int64_t frames, T* audio) const;

  // The adjoints of Render(): overwrite d_amplitudes [frames, harmonics], d_f0_hz [frames]. A harmonic that crosses
  // Nyquist gives no gradient for crossing it.
  void AmplitudeGradient(const T* f0_hz, const T* d_audio, int64_t frames, T* d_amplitudes) const;
  void PitchGradient(const T* f0_hz, const T* amplitudes, const T* d_audio, int64_t frames, T* d_f0_hz) const;

 private:
  struct Group;
  // Calls visit(group) for groups of samples of all hops, in order; memory does not depend on the frames.
  template <typename Visit>
  void ForEachGroup(const T* f0_hz, int64_t frames, Visit visit) const;
  template <typename Use>
  void ForEachSum(const T* f0_hz, const T* amplitudes, int64_t frames, Wave wave, Use use) const;

  const HarmonicBank::Options options_;
  std::vector<double> ramp_;  // [hop]
};

}  // namespace ddsp::kernels
