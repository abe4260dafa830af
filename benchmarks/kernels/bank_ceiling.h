// The least that a harmonic bank can do, to be measured against: a plain Chebyshev recurrence over harmonics, vectors
// of samples, amplitudes linear between frames. No mask above Nyquist, no care for rounding, cheap sines to begin with.
#pragma once

#include <cstdint>

namespace ddsp::kernels {

// Samples of a frame; a multiple of what the widest loop takes at once.
inline constexpr int kCeilingHop = 64;

// f0_hz [frames + 1], amplitudes [frames + 1, harmonics] -> audio [frames * kCeilingHop] at 16 kHz. `vectors` (1, 2 or
// 4) go through the harmonics side by side.
void BankCeiling(const float* f0_hz, const float* amplitudes, int64_t frames, int harmonics, int vectors, float* audio);

}  // namespace ddsp::kernels
