// One page over plain HTTP: what a server's metrics port gives.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ddsp::client {

// `address` is HOST:PORT or [IPV6]:PORT. Errors: INVALID_ARGUMENT (no such form), UNAVAILABLE (nobody answers in time),
// FAILED_PRECONDITION (what answers is no HTTP, or says no).
absl::StatusOr<std::string> HttpGet(const std::string& address, const std::string& path, absl::Duration timeout);

}  // namespace ddsp::client
