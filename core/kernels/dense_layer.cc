#include "core/kernels/dense_layer.h"

namespace ddsp::kernels {
namespace {

constexpr int64_t kFewInputs = 16;

using Weights = std::variant<PackedDense, IntegerDense>;

Weights Pack(Arithmetic arithmetic, absl::Span<const float> kernel, absl::Span<const float> bias, int64_t inputs,
             int64_t outputs) {
  if (arithmetic == Arithmetic::kInt16 && inputs > kFewInputs) return IntegerDense(kernel, bias, inputs, outputs);
  return PackedDense(kernel, bias, inputs, outputs);
}

}  // namespace

DenseLayer::DenseLayer(Arithmetic arithmetic, absl::Span<const float> kernel, absl::Span<const float> bias,
                       int64_t inputs, int64_t outputs)
    : weights_(Pack(arithmetic, kernel, bias, inputs, outputs)) {}

int64_t DenseLayer::inputs() const {
  return std::visit([](const auto& weights) { return weights.inputs(); }, weights_);
}

int64_t DenseLayer::outputs() const {
  return std::visit([](const auto& weights) { return weights.outputs(); }, weights_);
}

int64_t DenseLayer::scratch_size(int64_t rows) const {
  const auto* integers = std::get_if<IntegerDense>(&weights_);
  return integers == nullptr ? 0 : integers->scratch_bytes(rows) / static_cast<int64_t>(sizeof(float));
}

void DenseLayer::Apply(const float* x, int64_t x_stride, int64_t rows, float* y, int64_t y_stride,
                       float* scratch) const {
  if (const auto* integers = std::get_if<IntegerDense>(&weights_)) {
    integers->Apply(x, x_stride, rows, y, y_stride, scratch);
  } else {
    std::get<PackedDense>(weights_).Apply(x, x_stride, rows, y, y_stride);
  }
}

}  // namespace ddsp::kernels
