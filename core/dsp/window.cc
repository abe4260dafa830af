#include "core/dsp/window.h"

#include <cmath>

#include "core/dsp/argument.h"

namespace ddsp {
namespace {

at::Tensor RaisedCosine(int64_t size, double a, double b, const at::TensorOptions& options) {
  DDSP_CHECK_ARGUMENT(size > 0, "window size is ", size, ", expected a positive number");
  if (size == 1) return at::ones({1}, options);
  const double period = static_cast<double>(size + (1 - size % 2) - 1);
  const at::Tensor n = at::arange(size, options.dtype(at::kDouble));
  return (a - b * at::cos(n * (2 * M_PI / period))).to(options);
}

}  // namespace

at::Tensor HannWindow(int64_t size, const at::TensorOptions& options) { return RaisedCosine(size, 0.5, 0.5, options); }

at::Tensor HammingWindow(int64_t size, const at::TensorOptions& options) {
  return RaisedCosine(size, 0.54, 0.46, options);
}

}  // namespace ddsp
