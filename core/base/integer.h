// Division of integers with the rounding that framing needs. Divisors are positive.
#pragma once

#include <cstdint>

namespace ddsp {

constexpr int64_t CeilDiv(int64_t a, int64_t b) { return a > 0 ? (a + b - 1) / b : -(-a / b); }
constexpr int64_t FloorDiv(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

}  // namespace ddsp
