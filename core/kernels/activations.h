// Pointwise non-linearities of the network and of the synthesisers' controls, on float arrays. `y` may be `x`.
//
// Errors are relative, against double, over all finite inputs.
#pragma once

#include <cstdint>

namespace ddsp::kernels {

// y = 1 / (1 + exp(-x)); error at most 3e-7.
void Sigmoid(const float* x, int64_t size, float* y);

// y = tanh(x); error at most 3e-7.
void Tanh(const float* x, int64_t size, float* y);

// y = x >= 0 ? x : 0.2 x (upstream's slope).
void LeakyRelu(const float* x, int64_t size, float* y);

// y = 2 sigmoid(x)^ln(10) + 1e-7, upstream's exp_sigmoid; error at most 6e-7.
void ExpSigmoid(const float* x, int64_t size, float* y);

// y = exp_sigmoid(x + bias): the magnitudes of upstream's FilteredNoise (initial_bias -5).
void BiasedExpSigmoid(const float* x, float bias, int64_t size, float* y);

}  // namespace ddsp::kernels
