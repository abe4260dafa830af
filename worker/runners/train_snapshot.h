// A checkpoint of a training as one blob: the trainer's file and what its logs said until then.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace ddsp::worker {

// Packs the trainer's checkpoint `file` and the metrics of its `directory` into the file `target`.
absl::Status PackSnapshot(const std::string& file, const std::string& directory, const std::string& target);

// The opposite: into `directory`, from where a trainer goes on. Errors: INVALID_ARGUMENT for a file that is no
// snapshot, those of the disk.
absl::Status UnpackSnapshot(const std::string& source, int64_t step, const std::string& directory);

}  // namespace ddsp::worker
