#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "client/sdk/cancellation.h"

namespace ddsp::client {

// Bytes as the blob store names them.
struct Blob {
  std::string sha256;  // 64 lower-case hexadecimal digits
  int64_t size = 0;    // bytes

  bool operator==(const Blob&) const = default;
};

// Reads a file in parts; `cancellation` may be null. Errors: the system's, with the path (INVALID_ARGUMENT for a
// folder); CANCELLED.
absl::StatusOr<Blob> HashFile(const std::string& path, const Cancellation* cancellation = nullptr);

}  // namespace ddsp::client
