// Checkpoints of `ddsp train --gin` as voices.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "core/importer/voice/imported_voice.h"
#include "core/training/dataset.h"

namespace ddsp::client {

struct GinCheckpoint {
  std::string path;
  std::string config;  // the run's operative configuration, a file
  int64_t step = 0;
};

// `path`: a checkpoint's file, or the folder of a run, whose newest one is meant. Errors: NOT_FOUND where there is none
// with a configuration beside it.
absl::StatusOr<GinCheckpoint> FindGinCheckpoint(const std::string& path);

// `material`: what it was trained on, for dynamics and register of the voice's profile; null: it gets none. Errors:
// those of ReadParameterFiles and MakeImportedVoice, UNIMPLEMENTED for a model that cannot be played live among them.
absl::StatusOr<Voice> VoiceOfGinCheckpoint(const GinCheckpoint& checkpoint, const importer::VoiceImportOptions& options,
                                           const training::Dataset* material);

}  // namespace ddsp::client
