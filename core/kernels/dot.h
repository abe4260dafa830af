// Sums of products of floats in double.
#pragma once

#include "absl/types/span.h"

namespace ddsp::kernels {

// sum a[i] b[i], of equal sizes; relative error of the sum of |a[i] b[i]| at most size * 2^-53.
double Dot(absl::Span<const float> a, absl::Span<const float> b);

}  // namespace ddsp::kernels
