// Windows with the conventions of tf.signal, which differ from LibTorch's.
#pragma once

#include <ATen/ATen.h>

namespace ddsp {

// Periodic for even sizes, symmetric for odd ones (TensorFlow ignores `periodic` there); size 1 is [1].
at::Tensor HannWindow(int64_t size, const at::TensorOptions& options = at::kFloat);
at::Tensor HammingWindow(int64_t size, const at::TensorOptions& options = at::kFloat);

}  // namespace ddsp
