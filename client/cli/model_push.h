// Publishing: from a version's directory into a repository, whole or not at all.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "core/models/repository.h"

namespace ddsp::client {

// Copies a voice that was verified into `repository` under its own name and the next version number, which appears by
// one rename. Errors: those of the voice; of the file system, and then the repository is as it was.
absl::StatusOr<VoiceLocation> PushVoice(const std::string& version_directory, const std::string& repository);

}  // namespace ddsp::client
