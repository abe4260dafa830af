// The harmonic bank as one node of the autograd graph: memory of O(samples), not O(samples x harmonics).
#pragma once

#include <ATen/ATen.h>

#include "core/dsp/oscillator.h"

namespace ddsp {

// Whether the fused form computes what HarmonicSynthesis() would: exact phase, a whole number of samples per frame,
// linear or window amplitudes, no shifts, on the CPU.
bool CanFuseHarmonicSynthesis(const HarmonicControls& controls, const HarmonicSynthesisOptions& options);

// HarmonicSynthesis() with gradients for all controls, in parallel over the batch. In float32 signal and amplitudes go
// through core/kernels/harmonic_bank and differ from the plain form by at most 1e-5 of the sum of the amplitudes;
// float64, and the gradient of the pitch, go through the slower exact_harmonic_bank.
at::Tensor FusedHarmonicSynthesis(const HarmonicControls& controls, const HarmonicSynthesisOptions& options);

// Independent sinusoids, each a bank of one harmonic: frequencies in Hz and amplitudes [batch, frames, sinusoids] to
// audio [batch, n_samples], the OscillatorBank() of both upsampled. Memory of O(samples), however many there are.
bool CanFuseSinusoids(const at::Tensor& frequencies, const at::Tensor& amplitudes,
                      const HarmonicSynthesisOptions& options);
at::Tensor FusedSinusoids(const at::Tensor& frequencies, const at::Tensor& amplitudes,
                          const HarmonicSynthesisOptions& options);

// The fused part: f0 [batch, frames] and the amplitudes of all harmonics [batch, frames, harmonics], CPU tensors of one
// floating type, to audio [batch, n_samples]; `options` as CanFuseHarmonicSynthesis() wants them.
at::Tensor HarmonicBankAudio(const at::Tensor& f0_hz, const at::Tensor& amplitudes,
                             const HarmonicSynthesisOptions& options);

}  // namespace ddsp
