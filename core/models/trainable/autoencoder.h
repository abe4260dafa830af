// The model of the published instruments (upstream: training/models/autoencoder.py).
#pragma once

#include <memory>
#include <vector>

#include "core/models/trainable/control_decoder.h"
#include "core/models/trainable/model.h"
#include "core/models/trainable/model_losses.h"
#include "core/models/trainable/preprocessor.h"
#include "core/models/trainable/trainable_group.h"
#include "core/models/trainable/z_encoder.h"

namespace ddsp {

// Features are preprocessed, encoded into z, decoded into controls and synthesised; losses compare the sound with
// `audio`. Outputs: all features, those made on the way among them, what every node of the group computes, and
// audio_synth. There are no losses where the features have no audio.
class Autoencoder : public TrainableModel {
 public:
  struct Parts {
    Preprocessor preprocessor;          // without a function: none
    std::unique_ptr<ZEncoder> encoder;  // null: none
    std::unique_ptr<ControlDecoder> decoder;
    std::unique_ptr<TrainableGroup> processor_group;
    std::vector<AudioLoss> losses;
  };
  explicit Autoencoder(Parts parts) : parts_(std::move(parts)) {}

  absl::StatusOr<ModelOutputs> Run(const NamedTensors& features, const ModelContext& context = {}) const override;
  std::string AudioOutput() const override { return "audio_synth"; }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  Parts parts_;
};

// models.Autoencoder. Null if there is a problem.
std::unique_ptr<TrainableModel> AutoencoderFromGin(GinArguments& args);

}  // namespace ddsp
