// Counter-based white noise: the only source of randomness at audio rate.
#pragma once

#include <cstdint>

#include "absl/types/span.h"

namespace ddsp::kernels {

// Fills `out` with white noise, uniform in [-1, 1): out[i] is a pure function of (seed, first_index + i), so any split
// of an index range gives the same samples, on every machine. `first_index` >= 0, in samples from the start of the
// stream.
//
// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) keyed by the seed; block n of the
// counter gives samples 4n..4n+3; the upper 24 bits of each word make a multiple of 2^-23.
void UniformNoise(uint64_t seed, int64_t first_index, absl::Span<float> out);

}  // namespace ddsp::kernels
