#pragma once

#include <string>

#include "tests/golden/case.h"

namespace ddsp::golden {

// The worst element of a comparison, as a multiple of what its tolerance allows.
struct Deviation {
  bool within = true;
  double excess = 0.0;      // |x - y| / (atol + rtol |y|), at most 1 where within
  std::string description;  // "[3,1] is 0.5, expected 0.25 +- 1e-5"
};

enum class Distance { kLinear, kModuloTwoPi };

// Integers have to be equal; NaN and infinities match themselves.
Deviation Compare(const at::Tensor& actual, const Expected& expected, Distance distance);

}  // namespace ddsp::golden
