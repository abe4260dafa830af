#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace ddsp::client {

// Where a new version of a voice goes: voices/violin/3 is version 3 of "violin".
struct BundlePath {
  std::string directory;  // without a slash at its end
  std::string name;
  int64_t version = 1;
};

// `name` takes the place of the parent folder's unless it is empty. Errors: INVALID_ARGUMENT for a folder that is no
// version number, or a name that is none of a voice.
absl::StatusOr<BundlePath> ParseBundlePath(const std::string& path, const std::string& name);

}  // namespace ddsp::client
