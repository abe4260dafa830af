// A voice: what a bundle holds, in memory. Immutable once read, hence safe to share.
//
// Bundle (see DESIGN of the format in core/models/README.md):
//   <repository>/<model>/<version>/{model.textproto, weights.safetensors, golden/golden.safetensors,
//   MANIFEST.textproto}
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/features/feature_settings.h"
#include "ddsp/v1/model.pb.h"

namespace ddsp {

struct Weight {
  std::vector<int64_t> shape;
  std::vector<float> values;  // row by row
};

// A golden stream: audio in, audio out of StreamFramer + engine at the voice's own rate, tail included.
struct GoldenAudio {
  std::vector<float> input, output;
  uint64_t seed = 0;
};

struct Voice {
  v1::VoiceSpec spec;
  int64_t version = 0;
  // Upstream's checkpoint paths: "decoder/rnn/rnn/cell/kernel", ...; "reverb/ir" [length]: the frozen impulse response.
  std::map<std::string, Weight> weights;
  GoldenAudio golden;
  std::string digest;  // SHA-256 of the manifest it was read with, hexadecimal; empty where there was none

  std::string id() const;                    // "violin/1"
  FeatureSettings feature_settings() const;  // at the extractor's rate, whatever the voice's
  // Frames of controls that the decoder makes between two feature frames, and the samples between them.
  int decoder_frames_per_hop() const;
  int decoder_hop() const { return spec.hop_size() / decoder_frames_per_hop(); }
};

enum class WeightStorage { kFloat32, kFloat16 };

// Reads and validates a version's directory: manifest, sizes, SHA-256, strict textproto, names, shapes, no path
// outside. Errors: NOT_FOUND (no such directory or file), INVALID_ARGUMENT or DATA_LOSS (a flipped bit), each naming
// the file or field. Does not run the golden audio: see core/streaming/voice_loader.h.
absl::StatusOr<std::shared_ptr<const Voice>> ReadBundle(const std::string& version_directory);

// Writes all files, the manifest last, into a fresh directory beside and renames it. Weights are rounded to `storage`
// first, so fill golden.output from weights that went through RoundWeights().
absl::Status WriteBundle(const std::string& version_directory, const Voice& voice, WeightStorage storage);
void RoundWeights(WeightStorage storage, std::map<std::string, Weight>* weights);

// The decoder's weights, each with its shape, in the order of the signal. The spec is valid.
std::vector<std::pair<std::string, std::vector<int64_t>>> DecoderWeights(const v1::VoiceSpec& spec);

// Problems of a spec and its weights, all at once; empty when there are none.
std::vector<std::string> ValidateVoice(const Voice& voice);

}  // namespace ddsp
