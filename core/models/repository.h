// A directory of voices: <repository>/<model>/<version>/ and <repository>/<model>/aliases.textproto.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace ddsp {

struct VoiceLocation {
  std::string model;
  int64_t version = 0;
  std::string directory;
};

// Every published version (one with a manifest), by name, then version. Errors: NOT_FOUND when `repository` is no
// directory.
absl::StatusOr<std::vector<VoiceLocation>> ListVoices(const std::string& repository);

// One more than the largest number of a version of the model, published or not: what a new one is called.
int64_t NextVersion(const std::string& model_directory);

// `reference` is "violin" (the newest version), "violin/3" or "violin@champion". Errors: NOT_FOUND, INVALID_ARGUMENT
// (bad name).
absl::StatusOr<VoiceLocation> FindVoice(const std::string& repository, std::string_view reference);

}  // namespace ddsp
