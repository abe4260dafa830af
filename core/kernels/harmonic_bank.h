// Additive synthesis of one row: harmonics of one phase, controls given at frames `hop` samples apart.
#pragma once

#include <cstdint>
#include <vector>

namespace ddsp::kernels {

// How amplitudes get from one frame to the next; f0 is always linear.
enum class AmplitudeRamp { kLinear, kHann };

// The controls at one frame.
struct HarmonicFrame {
  float f0_hz;              // >= 0
  const float* amplitudes;  // [harmonics], linear; index 0 is the fundamental
};

// The bank: immutable, shared by rows and threads; the only state is a phase that the caller owns.
//
// Sample m of a hop, 0 <= m < hop, with r = m / hop (kLinear) or (1 - cos(pi m / hop)) / 2 (kHann):
//   f0[m] = from.f0 + (to.f0 - from.f0) m / hop
//   phase += f0[m] / sample_rate
//   out[m] = sum_k ((1 - r) from.a[k] + r to.a[k]) sin(2 pi k phase), over those k with k f0[m] < sample_rate / 2.
// The phase is a double and inclusive: a stream's first sample has the phase f0[0] / sample_rate.
//
// Error of a sample against the same sums in double: at most 1e-5 of the sum of |amplitudes| for up to 128 harmonics
// (4e-8 k of the amplitude of harmonic k in practice). A row's samples do not depend on what else is computed, nor on
// the history but for the phase.
class HarmonicBank {
 public:
  struct Options {
    double sample_rate_hz = 16000;
    int hop = 320;       // samples between frames, 1 or more
    int harmonics = 60;  // 1 or more
    AmplitudeRamp ramp = AmplitudeRamp::kLinear;
  };
  explicit HarmonicBank(const Options& options);

  const Options& options() const { return options_; }

  // Writes one hop to `out` and advances `phase_cycles`, in [0, 1), 0 at the start of a stream.
  void Hop(const HarmonicFrame& from, const HarmonicFrame& to, double& phase_cycles, float* out) const;

  // A whole signal of `frames` * hop samples: hop by hop from f0_hz [frames] and amplitudes [frames, harmonics], with
  // the last frame held. Equal to the bit to calling Hop() in turn.
  void Render(const float* f0_hz, const float* amplitudes, int64_t frames, double& phase_cycles, float* audio) const;

  // The adjoint of Render() with respect to the amplitudes, from a phase of 0: overwrites d_amplitudes [frames,
  // harmonics] with the gradient of sum_n d_audio[n] audio[n]. f0 gets no gradient. Same error bound, relative to the
  // sum of |d_audio| of two hops.
  void Backward(const float* f0_hz, const float* d_audio, int64_t frames, float* d_amplitudes) const;

 private:
  Options options_;
  std::vector<float> ramp_;  // [hop], r above
};

}  // namespace ddsp::kernels
