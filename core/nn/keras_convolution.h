// Keras's convolutions over one or two axes, with all that their constructors take. What upstream's own layers are made
// of is in convolution_layers.h.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "core/nn/convolution_layers.h"
#include "core/nn/fully_connected.h"

namespace ddsp {

enum class ConvPadding {
  kValid,   // none
  kSame,    // ceil(size / stride) outputs, an odd zero at the end
  kCausal,  // zeros before the beginning alone
};
// "valid", "same", "causal". Errors: INVALID_ARGUMENT.
absl::StatusOr<ConvPadding> ParseConvPadding(const std::string& name);

struct KerasConvOptions {
  int64_t in = 1, filters = 1;
  std::vector<int64_t> kernel, strides, dilation;  // one number for each axis
  ConvPadding padding = ConvPadding::kValid;
  int64_t groups = 1;  // of channels; divides `in` and `filters`
  Bias bias = Bias::kAdded;
  Initializer initializer = Initializer::kGlorotUniform;
};

// Upstream: tfkl.Conv1D, tfkl.Conv2D.
class KerasConv : public Layer {
 public:
  // Throws ValueError for groups that do not divide the channels, and for kernels of more than 2^28 values.
  explicit KerasConv(const KerasConvOptions& options);
  // x [batch, size of each axis, in] to [batch, ..., filters]. Throws ValueError for shapes.
  at::Tensor Forward(const at::Tensor& x) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  KerasConvOptions options_;
  Parameter kernel_, bias_;  // [axes of the kernel, in / groups, filters]
};

// Upstream: tfkl.Conv1DTranspose, tfkl.Conv2DTranspose, without dilation and groups.
class KerasTransposedConv : public Layer {
 public:
  explicit KerasTransposedConv(const KerasConvOptions& options);
  // As KerasConv; an axis becomes `stride` times as long, for valid padding longer by what the kernel exceeds that.
  // Throws ValueError for shapes, and for results of more than 2^28 values.
  at::Tensor Forward(const at::Tensor& x) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  KerasConvOptions options_;
  Parameter kernel_, bias_;  // [axes of the kernel, filters, in]
};

enum class Pooling { kMax, kAverage };  // an average is of what is inside the signal

// Upstream: tfkl.MaxPooling1D, AveragePooling1D and those of two axes. x [batch, size of each axis, channels]; one size
// and stride for each axis, kValid or kSame. Throws ValueError for shapes.
at::Tensor Pool(const at::Tensor& x, Pooling pooling, const std::vector<int64_t>& sizes,
                const std::vector<int64_t>& strides, ConvPadding padding);

}  // namespace ddsp
