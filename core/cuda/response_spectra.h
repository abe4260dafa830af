// What the reverb kernel takes from the host: spectra of an impulse response, and the plan of its transform.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/cuda/fft.h"

namespace ddsp::cuda {

// Without roots. Errors: INVALID_ARGUMENT when `size` has a prime factor above 5.
absl::StatusOr<Fft> PlanFft(int size);

// exp(-i pi k / size) for k < 2 size, as pairs re, im.
std::vector<float> FftRoots(int size);

// Spectra of the parts of `taps` that are `hop` samples long, each followed by as many zeros: bins 0..hop of each part
// in turn, as pairs re, im. The sums of the definition, in double.
std::vector<float> ResponseSpectra(absl::Span<const float> taps, int hop);

}  // namespace ddsp::cuda
