// A model of the library as upstream computes it, for the cases of whole models and of training.
#pragma once

#include <memory>
#include <string>

#include "core/gin/config.h"
#include "core/models/trainable/model.h"

namespace ddsp::golden {

class GoldenModel {
 public:
  // Throws Rejected for what the library rejects. Where the text does not say otherwise, phases are upstream's sums.
  explicit GoldenModel(const std::string& gin);

  const gin::Config& config() const { return config_; }
  TrainableModel& model() const { return *model_; }

  // inputs: features, noise, reverb_noise; parameters by checkpoint path. Returns features, controls, signals and
  // losses under the names of the golden files.
  NamedTensors Run(const NamedTensors& inputs, const NamedTensors& parameters) const;

  // The two kinds of inputs.
  static NamedTensors FeaturesOf(const NamedTensors& inputs);
  static ModelContext ContextOf(const NamedTensors& inputs);

 private:
  gin::Config config_;
  std::unique_ptr<TrainableModel> model_;
};

}  // namespace ddsp::golden
