// Convolutions along a grid, for networks of few channels: a plane for each channel, the grid along the vectors.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "hwy/aligned_allocator.h"

namespace ddsp::kernels {

// Channels as planes of floats: channel c at grid point n lies at data[c * stride + n].
struct Planes {
  float* data;
  int64_t stride;
};

// y[o][n] = max(0, bias[o][n] + shift[o] + sum over taps t and inputs c of kernel[t][c][o] x[c][n + taps[t]]).
// Immutable, shared by threads.
//
// Every element is one chain of multiply-adds over (t, c) in order, from bias + shift on. Error: at most (2 + taps *
// inputs)
// * 2^-24 * (|bias| + |shift| + sum |kernel| |x|).
class GridLayer {
 public:
  // A whole number of vectors of any machine, three at a time: columns are computed in such steps.
  static constexpr int64_t kColumns = 48;

  // kernel [tap, input, output] row by row, bias [output, column]; outputs is a multiple of 8, the number of columns
  // one of kColumns.
  GridLayer(absl::Span<const int> taps, absl::Span<const float> kernel, absl::Span<const float> bias, int64_t inputs,
            int64_t outputs);

  // Reads x from min(taps) to columns + max(taps).
  void Apply(Planes x, absl::Span<const float> shift, Planes y) const;

 private:
  std::vector<int> taps_;
  std::vector<float> bias_;
  int64_t inputs_, outputs_;
  hwy::AlignedFreeUniquePtr<float[]> kernel_;  // [outputs / 8][tap, input][8]
};

// y[n] = sum over channels c of weights[c] x[c][n]; columns, a multiple of
// GridLayer::kColumns. Error as of a layer.
void MixPlanes(Planes x, absl::Span<const float> weights, int64_t columns, float* y);

}  // namespace ddsp::kernels
