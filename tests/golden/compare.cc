#include "tests/golden/compare.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace ddsp::golden {
namespace {

using at::Tensor;

std::string IndexString(int64_t flat, at::IntArrayRef sizes) {
  std::vector<int64_t> index(sizes.size());
  for (int64_t axis = static_cast<int64_t>(sizes.size()) - 1; axis >= 0; --axis) {
    index[axis] = flat % sizes[axis];
    flat /= sizes[axis];
  }
  return absl::StrCat("[", absl::StrJoin(index, ","), "]");
}

Deviation Different(std::string why) { return {false, INFINITY, std::move(why)}; }

// atol of every element, shaped like `value`.
Tensor AllowedError(const Tensor& value, const Tolerance& tolerance) {
  Tensor atol = at::tensor(tolerance.atol, at::kDouble);
  if (atol.size(0) == 1) {
    atol = atol.squeeze(0);
  } else {
    std::vector<int64_t> shape(value.dim(), 1);
    if (!shape.empty()) shape[0] = atol.size(0);
    atol = atol.reshape(shape);
  }
  return atol + tolerance.rtol * at::abs(value);
}

}  // namespace

Deviation Compare(const Tensor& actual, const Expected& expected, Distance distance) {
  if (!actual.defined()) return Different("no such result");
  const bool scalar_as_vector = actual.numel() == 1 && expected.value.numel() == 1;
  if (!scalar_as_vector && actual.sizes() != expected.value.sizes()) {
    return Different(absl::StrFormat("has shape [%s], expected [%s]", absl::StrJoin(actual.sizes(), ","),
                                     absl::StrJoin(expected.value.sizes(), ",")));
  }
  if (expected.value.numel() == 0) return {};
  const bool integers = !expected.value.is_floating_point();
  const Tensor y = expected.value.to(at::kDouble).contiguous();
  const Tensor x = actual.detach().to(at::kCPU, at::kDouble).reshape(y.sizes()).contiguous();
  Tensor error = at::abs(x - y);
  if (distance == Distance::kModuloTwoPi) {
    const Tensor turns = at::remainder(error, 2 * M_PI);
    error = at::minimum(turns, 2 * M_PI - turns);
  }
  const Tensor same = at::logical_or(x == y, at::logical_and(at::isnan(x), at::isnan(y)));
  error = at::where(same, at::zeros_like(error), at::where(at::isnan(error), at::full_like(error, INFINITY), error));
  const Tensor allowed = integers ? at::full_like(y, 0.5) : AllowedError(y, expected.tolerance).expand_as(y);
  const Tensor excess = at::where(error == 0, at::zeros_like(error), error / allowed).flatten();

  const int64_t worst = at::argmax(excess).item<int64_t>();
  Deviation deviation;
  deviation.excess = excess[worst].item<double>();
  deviation.within = deviation.excess <= 1.0;
  deviation.description =
      absl::StrFormat("%s is %.9g, expected %.9g +- %.3g (%.3g of it)", IndexString(worst, y.sizes()),
                      x.flatten()[worst].item<double>(), y.flatten()[worst].item<double>(),
                      allowed.flatten()[worst].item<double>(), deviation.excess);
  const double median = at::median(error).item<double>();
  if (expected.tolerance.median_atol > 0 && median > expected.tolerance.median_atol) {
    deviation.within = false;
    deviation.excess = std::max(deviation.excess, median / expected.tolerance.median_atol);
    absl::StrAppend(&deviation.description,
                    absl::StrFormat("; median error %.3g, allowed %.3g", median, expected.tolerance.median_atol));
  }
  return deviation;
}

}  // namespace ddsp::golden
