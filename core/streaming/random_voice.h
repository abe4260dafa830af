// A voice of a published recipe that nobody trained: full size, weights as a training run begins with them. It costs
// what a trained one costs, which is what load tests and benchmarks ask for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/models/voice.h"

namespace ddsp {

struct RandomVoiceOptions {
  std::string recipe;  // one of RandomVoiceRecipes()
  std::string name;    // [a-z][a-z0-9-]{0,62}
  int64_t version = 1;
  int harmonics = 0;                   // 0: the recipe's
  std::string arithmetic = "float32";  // of the decoder, see proto/ddsp/v1/model.proto
  uint64_t seed = 1;
};

// "solo_instrument", "tiny_instrument", "vst", and "vst_24k", "vst_48k" at these rates.
std::vector<std::string> RandomVoiceRecipes();

// With golden audio. Keras' initial weights: Glorot uniform, orthogonal for the recurrent kernel, no bias; the reverb
// is a decaying noise. The same options give the same voice. Errors: INVALID_ARGUMENT that lists the recipes; those of
// CompleteVoice().
absl::StatusOr<Voice> MakeRandomVoice(const RandomVoiceOptions& options);

}  // namespace ddsp
