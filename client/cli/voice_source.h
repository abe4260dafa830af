// Where a voice is pulled from.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/artifacts/object_store.h"
#include "core/models/manifest.h"

namespace ddsp::client {

struct VoiceSource {
  std::string model;
  int64_t version = 0;  // 0: it is not told, and the next one here
  ReadBundleFile read;
};

// s3://BUCKET/PREFIX/violin (the newest), .../violin/3 or .../violin@champion; oci://REGISTRY/REPOSITORY[:TAG] or
// @DIGEST, with the user and password of DDSP_OCI_USER and DDSP_OCI_PASSWORD; oci:DIRECTORY[:TAG], a layout on disk.
// Errors: INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE.
absl::StatusOr<VoiceSource> OpenVoiceSource(const std::string& text);

}  // namespace ddsp::client
