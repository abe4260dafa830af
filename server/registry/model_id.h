// Models and their versions by name.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace ddsp::server {

// "violin/3".
std::string ModelId(const std::string& model, int64_t version);
// MODEL_NOT_FOUND of "violin", "violin/3" or "violin@champion".
absl::Status ModelNotFound(const std::string& reference);

}  // namespace ddsp::server
