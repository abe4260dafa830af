// Audio to raw controls of sinusoids and noise (upstream: training/encoders.py, ResnetSinusoidalEncoder).
#pragma once

#include <functional>
#include <memory>

#include "core/models/trainable/gin_arguments.h"
#include "core/nn/resnet.h"

namespace ddsp {

// A spectrogram, a residual network, and a dense layer for each output.
class ResnetSinusoidalEncoder : public Layer {
 public:
  struct Options {
    std::function<at::Tensor(const at::Tensor& audio)> spectrogram;  // to [batch, frames, bins]
    int64_t bins = 229;
    ResNetSize size = ResNetSize::kSmall;
    GinArguments::Splits output_splits = {{"frequencies", 6400}, {"amplitudes", 100}, {"noise_magnitudes", 60}};
  };
  explicit ResnetSinusoidalEncoder(Options options);

  int64_t ChannelsOf(const std::string& output) const;  // 0: there is no such output
  // audio [batch, samples] to each output [batch, frames, channels].
  NamedTensors Forward(const at::Tensor& audio) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  const Options options_;
  ResNet resnet_;
  std::vector<Dense> dense_outs_;
};

// encoders.ResnetSinusoidalEncoder, with spectral_fn compute_logmel, compute_mel, compute_logmag or compute_mag. Null
// if there is a problem.
std::unique_ptr<ResnetSinusoidalEncoder> SinusoidalEncoderFromGin(GinArguments& args);

}  // namespace ddsp
