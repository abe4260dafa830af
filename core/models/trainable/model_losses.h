// Losses as models list them (upstream: losses.py).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/losses/consistency.h"
#include "core/models/trainable/gin_arguments.h"

namespace ddsp {

// Between two signals [batch, samples].
struct AudioLoss {
  std::string name;  // "spectral_loss"
  std::function<at::Tensor(const at::Tensor& target_audio, const at::Tensor& audio)> loss;
};

// Each reference of the parameter `name`: losses.SpectralLoss, and with CREPE among the supplies
// losses.PretrainedCREPEEmbeddingLoss and losses.EmbeddingLoss of a losses.PretrainedCREPE.
std::vector<AudioLoss> AudioLossesFromGin(GinArguments& args, const std::string& name);
AudioLoss AudioLossFromGin(GinArguments& args);

// Between two sets of sinusoids.
struct SinusoidLoss {
  std::string name;  // "kde_consistency_loss"
  std::function<at::Tensor(const SinusoidSet& a, const SinusoidSet& b)> loss;
};
// losses.KDEConsistencyLoss, WassersteinConsistencyLoss. A loss without a function if there is a problem.
SinusoidLoss SinusoidLossFromGin(GinArguments& args);

}  // namespace ddsp
