// From a folder of recordings to a data set: decoding, mixing to mono, resampling, features.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "core/training/dataset.h"

namespace ddsp::training {

// Reads every recording (.wav .flac .aif .aiff .ogg .mp3 .w64 .caf, case ignored) below `path`, in the order of their
// names, hidden files and folders left out; `path` may also be one file.
// Errors, each naming the path: NOT_FOUND (no such path, no recordings in it), those of ReadAudioFile; a file that
// cannot be read is an error, since leaving it out would go unnoticed.
struct BuildOptions {
  FeatureSettings settings;
  std::string exclude;                   // a file or folder that is left out, for what is held out; may be empty
  std::function<void(double)> progress;  // called with 0..1; may be empty
};
absl::StatusOr<Dataset> BuildDataset(const std::string& path, const BuildOptions& options);

// Shards in `cache_directory` are read instead of the recordings while names, sizes and times of the recordings and the
// settings are those they were made of; else they are made.
absl::StatusOr<Dataset> BuildOrReadDataset(const std::string& path, const BuildOptions& options,
                                           const std::string& cache_directory);

}  // namespace ddsp::training
