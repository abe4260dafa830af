// Compressed power spectra, as a pitch tracker compares them with harmonic templates.
#pragma once

#include "absl/types/span.h"

namespace ddsp::kernels {

// out[k] = r[k] / sqrt(|r|^2 + 1e-9), where r[k] = (power[k] + floor)^(1/8) - floor^(1/8) and floor = least + share *
// (largest power). Powers are at least 0, `least` is above. Error: 2e-6.
void CompressSpectrum(absl::Span<const float> power, float least, float share, float* out);

// out[k] = power[k]^(3/4), power at least 0; relative error 2e-7.
void ThreeQuarterPowers(absl::Span<const float> power, float* out);

}  // namespace ddsp::kernels
