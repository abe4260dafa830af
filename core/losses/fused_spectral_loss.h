// The usual form of SpectralLoss as one node of the autograd graph.
//
// Value and gradient come out of one pass over the frames of a scale, which stay in the cache; made of single tensor
// operations it takes several times as long. Memory: that of the gradient, and one scale of one row for each thread.
#pragma once

#include <ATen/ATen.h>

#include "core/losses/spectral_loss.h"

namespace ddsp {

// Whether the fused form computes what the plain one would: L1 of magnitudes and of their logarithms, windows of a power
// of two (8 or more), no weights, on the CPU, and no gradient wanted for the target.
bool CanFuseSpectralLoss(const SpectralLossOptions& options, const at::Tensor& target_audio, const at::Tensor& audio,
                         const at::Tensor& weights);

// The total of SpectralLoss, a scalar; in parallel over the batch. A bin of magnitude 0 gets no gradient. Its value
// differs from the plain form's by rounding.
at::Tensor FusedSpectralLoss(const SpectralLossOptions& options, const at::Tensor& target_audio,
                             const at::Tensor& audio);

}  // namespace ddsp
