// Models that are trained: features in, everything that they compute and their losses out (upstream:
// training/models/model.py).
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "core/nn/parameters.h"
#include "core/processors/processor.h"

namespace ddsp {

enum class LossTerms { kCompute, kLeaveOut };  // upstream: training = true, false

struct ModelContext {
  NamedTensors noise;                      // by node of the model's processor group, used instead of draws
  std::optional<at::Generator> generator;  // of what is drawn; none: LibTorch's default generator
  LossTerms losses = LossTerms::kCompute;
  // Of the batch that the features are of. Every loss is a mean over items, so that the whole batch's is the mean of
  // its parts', weighted by their items.
  BatchPart part;
};

struct ModelOutputs {
  NamedTensors outputs;  // under upstream's names, nested ones flattened: "harmonic/controls/f0_hz"
  NamedTensors losses;   // scalars: "spectral_loss"
  // Their sum, undefined if there is none. Upstream: total_loss.
  at::Tensor TotalLoss() const;
};

// Parameters have the paths of upstream's checkpoints below "model/": "decoder/dense_out/kernel". They start as Keras
// would draw them once InitializeParameters() is called, at zero before.
class TrainableModel : public Layer {
 public:
  // features: float32 [batch, ...] each, under the names of upstream's data sets: "audio" [batch, samples], "f0_hz",
  // "loudness_db" [batch, frames]. Errors: NOT_FOUND for one that is missing, INVALID_ARGUMENT for shapes.
  virtual absl::StatusOr<ModelOutputs> Run(const NamedTensors& features, const ModelContext& context = {}) const = 0;

  // Which output is the model's audio. Upstream: get_audio_from_outputs.
  virtual std::string AudioOutput() const = 0;
};

// How many weights there are.
int64_t CountParameters(Layer& layer);

}  // namespace ddsp
