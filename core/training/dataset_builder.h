// From a folder of recordings to a data set: decoding, mixing to mono, resampling, features.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "core/training/dataset.h"
#include "core/training/dataset_intake.h"

namespace ddsp::training {

struct BuildOptions {
  FeatureSettings settings;
  int sample_rate = 16000;   // of the audio, Hz
  ExampleSettings examples;  // noted in the set
  IntakeOptions intake;
  std::string exclude;                   // a file or folder that is left out, for what is held out; may be empty
  std::function<void(double)> progress;  // called with 0..1; may be empty
};

// Reads every recording (.wav .flac .aif .aiff .au .ogg .oga .opus .mp3 .w64 .rf64 .caf, case ignored) below `path`, in
// the order of their names, hidden files and folders left out; `path` may also be one file, of any name.
//
// A recording that cannot be used (damaged, no audio, silent, too short, the same samples as another one) is left out
// and named with its reason in `skipped`, what may be wrong with others is in `warnings`. Only when none is left is
// that an error: INVALID_ARGUMENT with every reason; so is a rate that does not fit. Other errors, each naming the
// path: NOT_FOUND (no such path, no recordings in it), PERMISSION_DENIED.
absl::StatusOr<Dataset> BuildDataset(const std::string& path, const BuildOptions& options);  // in memory

// Writes shards as it reads, so that memory does not grow with the recordings. Errors also those of the disk.
absl::StatusOr<Dataset> BuildDatasetIn(const std::string& directory, const std::string& path,
                                       const BuildOptions& options);

// Whether the set in `directory` is what BuildDatasetIn would write there: made of recordings of these names, sizes and
// times, with these settings.
absl::StatusOr<bool> IsUpToDate(const std::string& directory, const std::string& path, const BuildOptions& options);

// The set in `cache_directory` where it is up to date; else it is built there.
absl::StatusOr<Dataset> BuildOrReadDataset(const std::string& path, const BuildOptions& options,
                                           const std::string& cache_directory);

}  // namespace ddsp::training
