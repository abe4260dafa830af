// A perceptual loss: the distance of what the pitch tracker CREPE makes of two signals (upstream: losses.py,
// PretrainedCREPEEmbeddingLoss).
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/dsp/crepe_network.h"
#include "core/losses/mean_difference.h"

namespace ddsp {

// What brings the activations of a layer of CREPE to a common scale. Layers: "conv1-BN", "conv1-maxpool", ... to conv6,
// "classifier". Throws ValueError for others, listing them.
double CrepeActivationScale(std::string_view activation_layer);

// What a layer of CREPE makes of audio [batch, samples] at 16 kHz: [batch, samples / 1024 + 1, depth], of frames
// centred at multiples of 1024 samples, each brought to zero mean and unit variance. Upstream: losses.PretrainedCREPE,
// whose gradient is NaN where a frame is silent, and whose dropout acts while a model is trained.
at::Tensor CrepeEmbedding(const CrepeNetwork& network, const at::Tensor& audio, std::string_view layer);

struct CrepeEmbeddingOptions {
  double weight = 1.0;
  LossType loss_type = LossType::kL1;
  std::string activation_layer = "classifier";
};

// 20 * weight * scale of the layer * the difference of the embeddings of both signals [batch, samples]. `model` gives
// the activations of options.activation_layer, as CrepeEmbedding() does.
at::Tensor CrepeEmbeddingLoss(const std::function<at::Tensor(const at::Tensor&)>& model, const at::Tensor& target_audio,
                              const at::Tensor& audio, const CrepeEmbeddingOptions& options = {});

}  // namespace ddsp
