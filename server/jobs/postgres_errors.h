#pragma once

#include <string>

#include "absl/status/status.h"

namespace ddsp::server {

// The exception in flight as a status; called in a catch block. `what` names what was tried.
absl::Status CurrentPostgresError(const std::string& what);

}  // namespace ddsp::server
