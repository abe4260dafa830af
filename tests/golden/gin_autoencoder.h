// An autoencoder assembled from a gin text, for the cases of whole models and of training.
#pragma once

#include <memory>

#include "core/graph/processor_group.h"
#include "core/losses/spectral_loss.h"
#include "core/nn/encoders.h"
#include "core/nn/rnn_fc_decoder.h"
#include "tests/golden/gin_args.h"

namespace ddsp::golden {

class GinAutoencoder {
 public:
  // Throws Unsupported for parts that we do not have, Rejected for parameters that do not fit.
  explicit GinAutoencoder(GinArgs gin);

  // inputs: audio, f0_hz and what else the preprocessor takes, noise, reverb_noise; parameters by checkpoint path.
  // Returns features, controls, signals and losses under the names of the golden files.
  NamedTensors Run(const NamedTensors& inputs, const NamedTensors& parameters) const;

 private:
  NamedTensors Preprocess(const NamedTensors& inputs) const;
  NamedTensors Synthesize(const NamedTensors& inputs, const NamedTensors& features,
                          const NamedTensors& parameters) const;

  GinArgs gin_;
  std::string preprocessor_;
  std::unique_ptr<MfccTimeDistributedRnnEncoder> encoder_;  // null: none
  std::unique_ptr<RnnFcDecoder> decoder_;
  std::unique_ptr<SpectralLoss> loss_;
};

}  // namespace ddsp::golden
