#pragma once

#include "absl/types/span.h"

namespace ddsp::kernels {

// log of the sum of exp(x[i]), at least the largest x; error 2e-6 plus rounding of the result. x is not empty, finite.
float LogSumExp(absl::Span<const float> x);

}  // namespace ddsp::kernels
