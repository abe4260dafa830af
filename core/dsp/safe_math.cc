#include "core/dsp/safe_math.h"

#include <cmath>

namespace ddsp {

at::Tensor SafeDivide(const at::Tensor& numerator, const at::Tensor& denominator, double eps) {
  return numerator / at::where(denominator == 0, at::scalar_tensor(eps, denominator.options()), denominator);
}

at::Tensor SafeLog(const at::Tensor& x, double eps) {
  return at::log(at::where(x <= 0, at::scalar_tensor(eps, x.options()), x));
}

at::Tensor Logb(const at::Tensor& x, double base, double eps) { return SafeLog(x, eps) / std::log(base); }

at::Tensor Log10(const at::Tensor& x, double eps) { return Logb(x, 10.0, eps); }

at::Tensor LogScale(const at::Tensor& x, double min_x, double max_x) {
  const at::Tensor unit = (x + 1) / 2;
  return at::exp((1 - unit) * std::log(min_x) + unit * std::log(max_x));
}

at::Tensor SoftLimit(const at::Tensor& x, double x_min, double x_max) {
  return at::softplus(x) + x_min - at::softplus(x - (x_max - x_min));
}

at::Tensor GradientReversal(const at::Tensor& x) { return (2 * x).detach() - x; }

}  // namespace ddsp
