// From trained weights to a voice that can be served.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "core/models/voice.h"
#include "core/training/dataset.h"
#include "core/training/voice_network.h"

namespace ddsp::training {

inline constexpr double kGoldenSeconds = 2;  // of a voice's golden input

struct VoiceLabel {
  std::string name;  // [a-z][a-z0-9-]{0,62}
  int64_t version = 1;
  std::string description, licence, attribution;
};

struct ExportOptions {
  VoiceLabel label;
  WeightStorage storage = WeightStorage::kFloat16;
  uint64_t seed = 1;  // of the draw of the reverb's impulse response, which is stored
};

// The spec of a recipe's voice: decoder, graph, extractor settings, the material's profile. Its frames are a
// multiple of the settings'.
v1::VoiceSpec MakeVoiceSpec(const VoiceShape& shape, const FeatureSettings& settings, const MaterialProfile& material,
                            const VoiceLabel& label);

// A complete voice: weights rounded to their storage, reverb frozen, `golden_input` rendered by the streaming engine.
// Errors: those of the engine; INTERNAL with every problem when the voice does not validate.
absl::StatusOr<Voice> MakeVoice(const VoiceShape& shape, const Parameters& weights, const FeatureSettings& settings,
                                const MaterialProfile& material, const ExportOptions& options,
                                std::vector<float> golden_input);

}  // namespace ddsp::training
