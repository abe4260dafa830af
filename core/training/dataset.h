// Recordings with their features, in memory and on disk (shards of safetensors; core/training/dataset_writer).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/features/feature_extractor.h"
#include "core/features/feature_settings.h"
#include "core/models/performer_profile.h"
#include "core/training/shared_array.h"

namespace ddsp::training {

// One recording at the rate of its data set. Frame t is centred on sample t * hop(); there are audio.size() / hop()
// + 1.
struct Recording {
  std::string name;  // path below the folder that was read
  SharedArray<float> audio;
  std::vector<FeatureFrame> frames;
};

// What there is to say of one recording: why it was left out, or what may be wrong with it.
struct RecordingRemark {
  std::string name, text;
};

// How recordings are cut into examples and parted. Seconds are whole numbers of frames.
struct ExampleSettings {
  double example_secs = 4;
  double hop_secs = 1;
  // Upstream cuts a recording into chunks, the last one filled up with zeros, and no example crosses from one to the
  // next (17 of 4 s in a chunk of 20 s). 0: the whole recording is one.
  double chunk_secs = 0;
  double held_out_fraction = 0.1;
  friend bool operator==(const ExampleSettings&, const ExampleSettings&) = default;
};

struct Dataset {
  FeatureSettings settings;
  std::vector<Recording> recordings;
  // What the shards were made of; another value means that they are out of date.
  std::string fingerprint;
  ExampleSettings examples;
  std::vector<RecordingRemark> skipped, warnings;
  // Of the audio, Hz, which is that of the models trained on it; features are of what lies below 8 kHz at any rate.
  int sample_rate = 16000;

  int hop() const { return sample_rate / settings.frame_rate; }  // samples between frames, which divide a second
  double seconds() const;
  double voiced_seconds() const;
};

// Rates of voices.
inline constexpr int kMinDatasetRate = 8000, kMaxDatasetRate = 48000;
// Errors: INVALID_ARGUMENT.
absl::Status ValidateDatasetRate(int sample_rate, const FeatureSettings& settings);

// Training below this much voiced sound makes no instrument.
inline constexpr double kMinVoicedSeconds = 20;

// Errors: FAILED_PRECONDITION that says how much voiced material there is and how much is needed.
absl::Status CheckVoiced(const Dataset& dataset, double min_voiced_seconds = kMinVoicedSeconds);

// How the material is played. Errors: those of MeasureProfile.
struct MaterialProfile {
  PerformerProfile profile;
  float min_pitch_midi = 0, max_pitch_midi = 0;  // 1st and 99th percentile of voiced frames
};
absl::StatusOr<MaterialProfile> MeasureMaterial(const Dataset& dataset);

// The last file of a set to be written.
inline constexpr char kDatasetIndexFile[] = "dataset.safetensors";

// Whether `path` is a folder with a complete set of shards.
bool IsDataset(const std::string& path);

// Shard files shard-00000.safetensors, ... of whole recordings, a new one after about `shard_bytes`; the last file
// written says that all are there. Earlier shards in `directory` are replaced.
absl::Status WriteShards(const std::string& directory, const Dataset& dataset, int64_t shard_bytes = int64_t{64} << 20);

// Audio stays on disk until it is looked at; the shards must not change in the meantime.
// Errors: NOT_FOUND (no complete set of shards there), INVALID_ARGUMENT (a damaged shard; names the file).
absl::StatusOr<Dataset> ReadShards(const std::string& directory);

}  // namespace ddsp::training
