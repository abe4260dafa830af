// What lies in the repositories of a server at one moment.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/models/aliases.h"

namespace ddsp::server {

struct FoundVersion {
  std::string directory;
  // Another one: another manifest has been put there.
  std::string fingerprint;
};

struct FoundModel {
  std::string directory;
  std::map<int64_t, FoundVersion> versions;  // published: with a manifest
  VoiceAliases aliases;
  absl::Status aliases_status;  // why `aliases` is empty
};

// By name. Errors: NOT_FOUND when `repository` is no directory.
absl::StatusOr<std::map<std::string, FoundModel>> ScanRepository(const std::string& repository);

// Whether a manifest is certainly not there; a disk that does not answer proves nothing.
bool IsGone(const std::string& version_directory);

}  // namespace ddsp::server
