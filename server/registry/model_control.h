// Voices come into service and go out of it while the server runs: what others may ask for. Thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace ddsp::server {

class ModelControl {
 public:
  virtual ~ModelControl() = default;

  // Makes a published version serve; `version` 0: the newest. It is looked for in the repositories now, verified
  // (manifest, checksums, golden test) and serves when this returns, which takes about a second: not for threads of the
  // wire or of a device. What serves already is no error; what failed before is tried again. Older versions that the
  // version policy does not keep take no new sessions from then on, and are freed when their last one ends.
  // Errors: MODEL_NOT_FOUND; MODEL_LOAD_FAILED with what is wrong, the versions that serve staying as they are;
  // MODEL_NOT_READY when somebody unloaded it meanwhile; SERVER_DRAINING when the server stops before the answer.
  virtual absl::Status Load(const std::string& model, int64_t version) = 0;

  // From when this returns, new sessions of the version (0: of every version of the model) are refused with
  // MODEL_NOT_READY; live ones go on, and its memory is freed after the last. It stays unloaded until it is loaded by
  // name. What is not loaded is no error. Errors: MODEL_NOT_FOUND.
  virtual absl::Status Unload(const std::string& model, int64_t version) = 0;

  // Moves an alias ("champion") to a version, which is loaded first; the file is replaced by a rename. Errors:
  // INVALID_MODEL_REQUEST (a name), MODEL_NOT_FOUND, MODEL_LOAD_FAILED, REPOSITORY_NOT_WRITABLE: the alias stays where
  // it was.
  virtual absl::Status SetAlias(const std::string& model, const std::string& alias, int64_t version) = 0;
  // Errors: MODEL_NOT_FOUND (no such model or alias), REPOSITORY_NOT_WRITABLE.
  virtual absl::Status DeleteAlias(const std::string& model, const std::string& alias) = 0;
};

}  // namespace ddsp::server
