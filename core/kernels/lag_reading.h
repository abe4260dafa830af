// What a pitch tracker reads from an autocorrelation, by lag.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace ddsp::kernels {

// Four lags from `lag` on, weighted: an interpolation between lags.
struct LagTap {
  int lag;
  float weight[4];
};

// out[i] = sum of taps[i].weight[j] x[taps[i].lag + j]; relative error of the sum of magnitudes: 3e-7.
void ReadLags(absl::Span<const LagTap> taps, const float* x, float* out);

// out[i] = min(x[0], ..., x[i]), exactly.
void RunningMinimum(absl::Span<const float> x, float* out);

// Writes the inner points of x, from `first` > 0 on, that are above zero, not below the point before and above the one
// after; returns how many there are. Room for half as many as points.
int FindPeaks(absl::Span<const float> x, int first, int* peaks);

}  // namespace ddsp::kernels
