// A dense layer in the arithmetic that a network asks for.
#pragma once

#include <cstdint>
#include <variant>

#include "core/kernels/dense.h"
#include "core/kernels/integer_dense.h"

namespace ddsp::kernels {

enum class Arithmetic { kFloat32, kInt16 };

// PackedDense or IntegerDense, which see. A layer of few inputs is a PackedDense in any case: it costs nothing.
class DenseLayer {
 public:
  DenseLayer(Arithmetic arithmetic, absl::Span<const float> kernel, absl::Span<const float> bias, int64_t inputs,
             int64_t outputs);

  int64_t inputs() const;
  int64_t outputs() const;
  // Floats of scratch for `rows` rows.
  int64_t scratch_size(int64_t rows) const;
  void Apply(const float* x, int64_t x_stride, int64_t rows, float* y, int64_t y_stride, float* scratch) const;

 private:
  std::variant<PackedDense, IntegerDense> weights_;
};

}  // namespace ddsp::kernels
