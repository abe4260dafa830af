#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace ddsp::importer {

// A block that was compressed with Snappy, as it was before. Errors: DATA_LOSS (broken), RESOURCE_EXHAUSTED (more than
// `max_bytes`), UNIMPLEMENTED (built without libsnappy; TensorFlow itself does not compress checkpoints).
absl::StatusOr<std::string> UnpackSnappy(std::string_view packed, size_t max_bytes);

}  // namespace ddsp::importer
