// Logarithms and divisions that survive zero, and soft bounds (upstream: core.py, math). All elementwise.
#pragma once

#include <ATen/ATen.h>

namespace ddsp {

// numerator / denominator, where a denominator of exactly zero counts as `eps`. Upstream: safe_divide.
at::Tensor SafeDivide(const at::Tensor& numerator, const at::Tensor& denominator, double eps = 1e-7);

// ln(x), where x <= 0 counts as `eps`, with zero gradient. Tiny positive values are NOT clamped. Upstream: safe_log.
at::Tensor SafeLog(const at::Tensor& x, double eps = 1e-5);

// Logarithm to `base` by SafeLog. Upstream: logb, log10.
at::Tensor Logb(const at::Tensor& x, double base = 2.0, double eps = 1e-5);
at::Tensor Log10(const at::Tensor& x, double eps = 1e-5);

// Maps [-1, 1] to [min_x, max_x] exponentially; both > 0. Upstream: log_scale.
at::Tensor LogScale(const at::Tensor& x, double min_x, double max_x);

// Softly bounds to [x_min, x_max]. Upstream: soft_limit.
at::Tensor SoftLimit(const at::Tensor& x, double x_min = 0.0, double x_max = 1.0);

// Identity whose gradient has the other sign. Upstream: gradient_reversal.
at::Tensor GradientReversal(const at::Tensor& x);

}  // namespace ddsp
