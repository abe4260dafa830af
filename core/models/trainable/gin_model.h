// The model that a gin configuration names (upstream: training/models, get_model()).
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "core/gin/config.h"
#include "core/models/trainable/gin_arguments.h"
#include "core/models/trainable/model.h"

namespace ddsp {

// get_model.model, or the only model that the configuration mentions: models.Autoencoder, InverseSynthesis,
// MidiAutoencoder, ZMidiAutoencoder. Parameters are at their start values. Errors: NOT_FOUND where no model is named;
// INVALID_ARGUMENT with a line for everything that is wrong, each with its position: unknown configurables and
// parameters, values of another type, what we do not have.
absl::StatusOr<std::unique_ptr<TrainableModel>> ModelFromGin(const gin::Config& config,
                                                             const GinModelOptions& options = {});

}  // namespace ddsp
