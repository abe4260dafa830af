// Publishing and fetching: voices that have proven themselves, whole or not at all.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "client/cli/voice_source.h"
#include "core/models/repository.h"

namespace ddsp::client {

// Copies a voice that was verified into `repository`, a directory or s3://BUCKET/PREFIX, under its own name and the
// next version number. Errors: those of the voice; of the repository, which is then as it was.
absl::StatusOr<VoiceLocation> PushVoice(const std::string& version_directory, const std::string& repository);

struct PulledVoice {
  VoiceLocation location;
  bool was_there = false;  // the same voice, under the same number
};
// Copies a voice into the directory `repository`, under the version that it has at its source, and verifies it before
// it appears. Errors: those of the source and of the voice; ALREADY_EXISTS when that version is another voice here.
absl::StatusOr<PulledVoice> PullVoice(const VoiceSource& source, const std::string& repository);

}  // namespace ddsp::client
