#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace ddsp::client {

// `directory` is a version's (models/violin/1), or a model's: then its newest version's. Errors: NOT_FOUND.
absl::StatusOr<std::string> VersionDirectory(const std::string& directory);

}  // namespace ddsp::client
