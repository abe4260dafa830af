// Whole files in and out, with errors that name the path.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ddsp {

// Errors: NOT_FOUND, PERMISSION_DENIED, or INTERNAL for anything else the system says.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// Writes beside the target and renames, so that a reader sees the old content or the new one, never a part.
absl::Status WriteFileAtomically(const std::string& path, std::string_view content);

}  // namespace ddsp
