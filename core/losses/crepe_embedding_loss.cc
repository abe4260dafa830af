#include "core/losses/crepe_embedding_loss.h"

#include "absl/strings/str_cat.h"
#include "core/dsp/argument.h"
#include "core/dsp/framing.h"
#include "core/losses/consistency.h"

namespace ddsp {
namespace {

struct LayerScale {
  const char* layer;
  double scale;
};
constexpr LayerScale kScales[] = {
    {"conv1-BN", 1.3},   {"conv1-maxpool", 1.0}, {"conv2-BN", 1.4}, {"conv2-maxpool", 1.1},
    {"conv3-BN", 1.9},   {"conv3-maxpool", 1.6}, {"conv4-BN", 1.5}, {"conv4-maxpool", 1.4},
    {"conv5-BN", 1.9},   {"conv5-maxpool", 1.7}, {"conv6-BN", 30},  {"conv6-maxpool", 25},
    {"classifier", 130},
};

}  // namespace

double CrepeActivationScale(std::string_view activation_layer) {
  std::string known;
  for (const LayerScale& row : kScales) {
    if (activation_layer == row.layer) return row.scale;
    absl::StrAppend(&known, known.empty() ? "" : ", ", row.layer);
  }
  DDSP_CHECK_ARGUMENT(false, "activation_layer is '", std::string(activation_layer), "', expected one of ", known);
  return 0;
}

at::Tensor CrepeEmbedding(const CrepeNetwork& network, const at::Tensor& audio, std::string_view layer) {
  DDSP_CHECK_ARGUMENT(audio.dim() == 2, "audio has shape ", audio.sizes(), ", expected [batch, samples]");
  const at::Tensor frames = Frames(at::constant_pad_nd(audio, {kCrepeFrameSize / 2, kCrepeFrameSize / 2}),
                                   kCrepeFrameSize, /*hop_size=*/kCrepeFrameSize);
  const at::Tensor centred = frames - frames.mean(-1, /*keepdim=*/true);
  const at::Tensor variance = centred.square().mean(-1, /*keepdim=*/true);
  const at::Tensor is_sound = variance > 0;
  const at::Tensor deviation =
      at::where(is_sound, at::sqrt(at::where(is_sound, variance, at::ones_like(variance))), at::zeros_like(variance));
  const at::Tensor activations = network.Activations((centred / (deviation + 1e-5)).flatten(0, 1), layer);
  return activations.reshape({audio.size(0), frames.size(1), -1});
}

at::Tensor CrepeEmbeddingLoss(const std::function<at::Tensor(const at::Tensor&)>& model, const at::Tensor& target_audio,
                              const at::Tensor& audio, const CrepeEmbeddingOptions& options) {
  const double weight = 20.0 * CrepeActivationScale(options.activation_layer) * options.weight;
  return EmbeddingLoss(model, target_audio, audio, weight, options.loss_type);
}

}  // namespace ddsp
