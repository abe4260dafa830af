// Which model an operative configuration describes, in the terms of a voice's spec.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/gin/config.h"
#include "ddsp/v1/model.pb.h"

namespace ddsp::importer {

// How loudness was measured when the model was trained.
enum class LoudnessDefinition {
  kMeanOfPower,  // upstream since 2.0.0, and here: dB of the mean over bins of A-weighted power
  kMeanOfDb,     // before: mean over bins of A-weighted dB, FFT 2048, 20.7 dB reference, range 120 dB
};

struct VariableShape {
  std::string path;  // below the model: "decoder/dense_out/bias"
  std::vector<int64_t> shape;
};

struct ModelConfig {
  std::string recipe;        // "vst", "solo_instrument", or "custom"
  std::string preprocessor;  // "F0LoudnessPreprocessor", ...
  std::string encoder;       // empty: none
  std::string rnn_type;      // "gru", "lstm"
  v1::DecoderSpec decoder;
  v1::GraphSpec graph;
  int sample_rate = 16000;      // Hz
  int frame_rate = 250;         // Hz
  int power_frame_size = 1024;  // samples
  LoudnessDefinition loudness = LoudnessDefinition::kMeanOfPower;
  std::vector<VariableShape> variables;  // every trainable one
  // Why the live engine cannot play it; empty: it can.
  std::vector<std::string> obstacles;
};

// Reads the model that `get_model.model` names, by default an Autoencoder. Errors: UNIMPLEMENTED naming a class whose
// variables are not known here; INVALID_ARGUMENT naming a parameter that is missing or of another type, each with its
// position.
absl::StatusOr<ModelConfig> ReadModelConfig(const gin::Config& config);

}  // namespace ddsp::importer
