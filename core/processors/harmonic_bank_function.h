// The harmonic bank as one node of the autograd graph: memory of O(samples), not O(samples x harmonics).
#pragma once

#include <ATen/ATen.h>

#include "core/dsp/oscillator.h"

namespace ddsp {

// Whether the fused form computes what HarmonicSynthesis() would: exact phase, a whole number of samples per frame,
// linear or window amplitudes, no shifts, float32 on the CPU, and no gradient wanted for the frequencies.
bool CanFuseHarmonicSynthesis(const HarmonicControls& controls, const HarmonicSynthesisOptions& options);

// HarmonicSynthesis() through core/kernels/harmonic_bank, forward and backward, in parallel over the batch. Differs
// from the plain form by at most 1e-5 of the sum of the amplitudes.
at::Tensor FusedHarmonicSynthesis(const HarmonicControls& controls, const HarmonicSynthesisOptions& options);

}  // namespace ddsp
