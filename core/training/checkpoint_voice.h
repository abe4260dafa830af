// Voices from checkpoints: of runs that still go on, that were stopped, or whose export is wanted again.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "core/training/checkpoint.h"
#include "core/training/voice_export.h"

namespace ddsp::training {

struct VoiceCheckpoint {
  std::string path;
  VoiceShape shape;
  Checkpoint checkpoint;
};

// The shape that TrainerOptions::Describe() wrote. Errors: INVALID_ARGUMENT for another text.
absl::StatusOr<VoiceShape> ShapeOfRun(const std::string& run_options);

// `path` is a checkpoint's file, or a folder with some, or the folder of a run: the newest one that can be read then.
// Errors: NOT_FOUND; INVALID_ARGUMENT for a file that is none, or one of a model of a gin configuration.
absl::StatusOr<VoiceCheckpoint> OpenVoiceCheckpoint(const std::string& path);

// Where the data set of the run is that wrote a checkpoint, if it is still there; else empty.
std::string DatasetOfRun(const std::string& checkpoint_path);

// A complete voice: profile and golden input are of `material`. Errors: those of MeasureMaterial and MakeVoice.
absl::StatusOr<Voice> VoiceOfCheckpoint(const VoiceCheckpoint& from, const Dataset& material,
                                        const ExportOptions& options);

}  // namespace ddsp::training
