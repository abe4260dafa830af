// The network of the CREPE pitch tracker (Kim et al., ICASSP 2018), with weights that the caller has: none come with
// this library (upstream: the models of the package crepe behind spectral_ops.PretrainedCREPE and
// losses.PretrainedCREPE).
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/dsp/crepe.h"
#include "core/dsp/framing.h"
#include "core/dsp/named_tensors.h"

namespace ddsp {

// Six times convolution, ReLU, batch normalisation by stored statistics and pooling by two, then a dense layer with
// sigmoids. Nothing in it is trained; gradients go through it to the frames. Dropout never acts.
//
// Weights have the names and layouts of Keras, with m the capacity: tiny 4, small 8, medium 16, large 24, full 32.
//   conv1/kernel [512, 1, 1, 32 m]; conv2 to conv6/kernel [64, 1, in, out], out = 4, 4, 4, 8, 16 times m
//   convN/bias, convN-BN/gamma, beta, moving_mean, moving_variance [out]
//   classifier/kernel [64 m, 360], classifier/bias [360]
class CrepeNetwork {
 public:
  // Errors: INVALID_ARGUMENT listing every weight that is missing, superfluous, of another shape or not finite.
  static absl::StatusOr<std::shared_ptr<const CrepeNetwork>> Create(const NamedTensors& weights);
  // Of a safetensors file. Errors: also those of Safetensors::Read(); all name the file.
  static absl::StatusOr<std::shared_ptr<const CrepeNetwork>> Read(const std::string& path);

  // "tiny", ...; "3 times 32 filters" for a network that has none of these sizes.
  std::string Capacity() const;

  // What a layer makes of frames [frames, 1024] with zero mean and unit variance: [frames, time, channels] of "conv1",
  // "conv1-BN", "conv1-maxpool" and so on to conv6, [frames, 360] of "classifier". Throws ValueError for other frames,
  // and for other layers, listing them.
  at::Tensor Activations(const at::Tensor& frames, std::string_view layer = "classifier") const;

 private:
  struct Block {
    at::Tensor kernel, bias;  // [out, in, taps]
    at::Tensor scale, shift;  // of the normalisation, [out, 1]
    int64_t stride;
  };
  CrepeNetwork(const NamedTensors& weights, int64_t multiplier);

  int64_t multiplier_;
  std::vector<Block> blocks_;
  at::Tensor classifier_kernel_, classifier_bias_;
};

// The layers that Activations() knows, in order.
std::vector<std::string> CrepeLayers();
// Whether `name` is one of the five published sizes.
bool IsCrepeCapacity(std::string_view name);

enum class CrepeDecoding { kBestOfFrame, kViterbi };

struct CrepeTrackOptions {
  int64_t hop_size = 160;  // samples at 16 kHz
  FramePadding padding = FramePadding::kCenter;
  CrepeDecoding decoding = CrepeDecoding::kBestOfFrame;
};
// The pitch of audio [batch, samples] at 16 kHz: f0_hz and confidence, both [batch, frames], without gradients.
// Upstream: predict_f0_and_confidence.
CrepePitch TrackPitch(const CrepeNetwork& network, const at::Tensor& audio, const CrepeTrackOptions& options);

}  // namespace ddsp
