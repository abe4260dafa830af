// Non-linearities of the network and of the synthesisers' controls (core/kernels/activations.h), one value at a time.
#pragma once

#include <math.h>

#include "core/cuda/device_code.h"

namespace ddsp::cuda {

DDSP_DEVICE float Sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

// 2 sigmoid(x)^ln(10) + 1e-7, the sigmoid's logarithm being min(x, 0) - log1p(exp(-|x|)).
DDSP_DEVICE float ExpSigmoid(float x) {
  const float log_sigmoid = fminf(x, 0.0f) - log1pf(expf(-fabsf(x)));
  // fminf() would take a NaN for no argument; it shall come out.
  return isnan(x) ? x : 2.0f * expf(2.30258509f * log_sigmoid) + 1e-7f;
}

}  // namespace ddsp::cuda
