// Stacks of dilated convolutions over time (upstream: training/nn.py, DilatedConvStack; decoders.py,
// DilatedConvDecoder).
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "core/nn/convolution_layers.h"
#include "core/nn/normalization.h"

namespace ddsp {

// Residual layers x += norm(conv(relu(x))); the dilation grows with depth inside a stack. 'Same' padding looks ahead:
// not for streams.
class DilatedConvStack : public Layer {
 public:
  enum class Resample { kNone, kDown, kUp };
  enum class ResampleOrder { kAfterConvolve, kBeforeConvolve };
  enum class KernelNorm { kNone, kSpectral };  // spectral: see NormalizeWeights()
  struct Options {
    int64_t in = 1;          // channels of x
    int64_t z_channels = 0;  // of the conditioning signal; 0: none
    int64_t ch = 256;
    int64_t layers_per_stack = 5;
    int64_t stacks = 2;
    int64_t kernel_size = 3;
    int64_t dilation = 2;  // base of the dilation; negative: falls with depth instead
    NormType norm_type = NormType::kNone;
    Modulation modulation = Modulation::kScaleAndShift;
    Resample resample = Resample::kNone;
    int64_t resample_stride = 1;
    int64_t stacks_per_resample = 1;
    ResampleOrder resample_order = ResampleOrder::kAfterConvolve;
    KernelNorm kernel_norm = KernelNorm::kNone;                    // upstream: spectral_norm
    Initializer kernel_initializer = Initializer::kGlorotUniform;  // kOrthogonal is upstream's ortho_init
  };
  explicit DilatedConvStack(const Options& options);

  // x [batch, time, in], z undefined or [batch, time or 1, z_channels] to [batch, time (resampled), ch].
  at::Tensor Forward(const at::Tensor& x, const at::Tensor& z = {}) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  int64_t DilationAt(int64_t depth) const;
  bool ResamplesAt(size_t layer) const;
  at::Tensor ResampleAt(size_t layer, const at::Tensor& x) const;

  Options options_;
  SameConv conv_in_;
  std::vector<SameConv> layers_;
  std::vector<AnyNorm> norms_;
  std::vector<SameConv> down_;
  std::vector<SameTransposedConv> up_;
};

}  // namespace ddsp
