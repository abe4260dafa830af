// The distances that losses are made of (upstream: losses.py, mean_difference).
#pragma once

#include <ATen/ATen.h>

#include <string_view>

namespace ddsp {

enum class LossType {
  kL1,      // mean |target - value|
  kL2,      // mean (target - value)^2
  kCosine,  // mean over the vectors of the last axis of 1 - their normalised dot product (documented upstream, but
            // broken there)
};
// "L1", "L2" or "COSINE", in any case. Throws ValueError for others.
LossType ParseLossType(std::string_view name);

// `weights` (undefined: 1) multiply the element-wise difference, for L2 its square; they are broadcast.
at::Tensor MeanDifference(const at::Tensor& target, const at::Tensor& value, LossType type = LossType::kL1,
                          const at::Tensor& weights = {});

}  // namespace ddsp
