// What a pitch tracker reads from an autocorrelation, by lag.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace ddsp::kernels {

// out[i] = min(x[0], ..., x[i]), exactly.
void RunningMinimum(absl::Span<const float> x, float* out);

// Four lags from `lag` on, weighted: an interpolation between lags.
struct LagTap {
  int lag;
  float weight[4];
};

// out[i] = min(v, 2 (v - lowest[taps[i].lag + 1])), where v = sum of taps[i].weight[j] x[taps[i].lag + j] and `lowest`
// is the running minimum of x: how far a correlation stands out from the lags before it. Error: 1e-6 of the sum of
// magnitudes.
void ReadLags(absl::Span<const LagTap> taps, const float* x, const float* lowest, float* out);

// Writes the inner points of x, from `first` > 0 on, that are above zero, not below the point before and above the one
// after; returns how many there are. Room for half as many as points.
int FindPeaks(absl::Span<const float> x, int first, int* peaks);

}  // namespace ddsp::kernels
