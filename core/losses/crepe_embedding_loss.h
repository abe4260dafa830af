// A perceptual loss: the distance of what the pitch tracker CREPE makes of two signals (upstream: losses.py,
// PretrainedCREPEEmbeddingLoss).
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/losses/mean_difference.h"

namespace ddsp {

// What brings the activations of a layer of CREPE to a common scale. Layers: "conv1-BN", "conv1-maxpool", ... to conv6,
// "classifier". Throws ValueError for others, listing them.
double CrepeActivationScale(std::string_view activation_layer);

struct CrepeEmbeddingOptions {
  double weight = 1.0;
  LossType loss_type = LossType::kL1;
  std::string activation_layer = "classifier";
};

// 20 * weight * scale of the layer * the difference of the embeddings of both signals [batch, samples]. `model` gives
// the activations of options.activation_layer: its weights are the caller's, none come with this library.
at::Tensor CrepeEmbeddingLoss(const std::function<at::Tensor(const at::Tensor&)>& model, const at::Tensor& target_audio,
                              const at::Tensor& audio, const CrepeEmbeddingOptions& options = {});

}  // namespace ddsp
