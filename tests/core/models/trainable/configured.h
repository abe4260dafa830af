// Models of the repository's configurations for tests: small, and trained for a few steps.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/gin/reader.h"
#include "core/models/trainable/gin_model.h"

namespace ddsp::testing {

// DDSP_SOURCE_DIR/configs/`name` with `params` over it.
absl::StatusOr<gin::Config> ReadConfigs(const std::string& name, const std::vector<std::string>& params = {});

// The model of it, its weights drawn with seed 1. Fails the test on an error.
std::unique_ptr<TrainableModel> ConfiguredModel(const std::string& name, const std::vector<std::string>& params = {},
                                                GinModelOptions options = {});

// What makes an instrument of configs/models small: 0.32 s (5120 samples, 80 frames) at 16 kHz.
std::vector<std::string> SmallInstrument();
// What makes configs/papers/icml2020 small: 20 sinusoids, a tiny network, 16 frames (8192 samples).
std::vector<std::string> SmallInverseSynthesis();
// What makes configs/midiae small: 0.32 s, 80 frames.
std::vector<std::string> SmallMidi();

// A tone with eight harmonics whose pitch and level change: audio [batch, samples], f0_hz, loudness_db, f0_confidence
// [batch, frames].
NamedTensors Tones(int64_t batch, int64_t samples, int64_t frames);

// Total losses of `steps` steps on the same features, Adam with the rate.
std::vector<double> Train(TrainableModel& model, const NamedTensors& features, int steps, double rate);

}  // namespace ddsp::testing
