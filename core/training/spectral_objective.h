// Upstream's SpectralLoss (L1 of magnitudes and of their logarithms) as one differentiable operation.
//
// Value and gradient come out of one pass over the frames of a scale, which stay in the cache; made of single tensor
// operations it takes several times as long. core/losses holds the general form, which is this one's oracle.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "core/training/spectrum_compare.h"

namespace ddsp::training {

struct SpectralObjectiveOptions {
  std::vector<int64_t> fft_sizes = {2048, 1024, 512, 256, 128, 64};  // powers of two, 8 or more; overlap 75 %
  DistanceWeights weights;
};

// Mean over bins, frames and batch, summed over scales and over the two terms; a scalar. `target` gets no gradient.
//   target, synth  [batch, samples], float32
at::Tensor SpectralObjective(const SpectralObjectiveOptions& options, const at::Tensor& target,
                             const at::Tensor& synth);

}  // namespace ddsp::training
