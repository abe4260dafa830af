// Layer normalisation as Keras does it, fused with the activation that follows it in every decoder.
#pragma once

#include <cstdint>

namespace ddsp::kernels {

// For each of `rows` rows of x [rows, width], contiguous:
//   y = leaky_relu((x - mean) / sqrt(variance + 1e-3) * gamma + beta), slope 0.2, variance biased (divided by width).
// Row r of the result goes to y + r * y_stride; y may be x where y_stride is width. gamma, beta: [width].
// Rows are independent to the bit. Error at most 1e-6 (|gamma| max|normalised x| + |beta|).
void LayerNormLeakyRelu(const float* x, int64_t rows, int64_t width, const float* gamma, const float* beta, float* y,
                        int64_t y_stride);

}  // namespace ddsp::kernels
