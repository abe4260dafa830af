// A residual network over spectrograms (upstream: training/nn.py, ResNet).
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "core/nn/residual.h"

namespace ddsp {

enum class ResNetSize {
  kTiny,   // ours, for tests and demonstrations; the default of upstream's encoder is called so, but there is none
  kSmall,  // 5,256,320 parameters on a spectrogram
  kMedium,
  kLarge,
};
// "tiny", "small", "medium", "large". Errors: INVALID_ARGUMENT.
absl::StatusOr<ResNetSize> ParseResNetSize(const std::string& name);

// Only the frequency axis becomes shorter: a convolution, a maximum and three blocks halve it, rounding up.
class ResNet : public Layer {
 public:
  struct Options {
    ResNetSize size = ResNetSize::kLarge;
    int64_t channels = 1;
    NormType norm_type = NormType::kLayer;
    int64_t z_channels = 0;  // 0: not conditional
    Modulation modulation = Modulation::kScaleAndShift;
  };
  explicit ResNet(const Options& options);
  int64_t out_channels() const { return out_channels_; }
  static int64_t OutChannels(ResNetSize size);
  static int64_t OutBins(int64_t bins);  // of an input with so many

  // x [batch, time, bins, channels] to [batch, time, OutBins(bins), out_channels()]. z: undefined, or [batch, time or
  // 1, z_channels], which every residual layer is given.
  at::Tensor Forward(const at::Tensor& x, const at::Tensor& z = {}) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  SameConv conv_;
  ResidualStack body_, head_;
  int64_t out_channels_;
};

}  // namespace ddsp
