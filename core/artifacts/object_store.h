// A store of named byte strings, as S3 is one: what voices lie in when no disk is shared.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace ddsp {

struct ObjectInfo {
  std::string key;
  std::string etag;  // another one: other content
};

// For one thread at a time.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // Of error messages: "s3://bucket/prefix".
  virtual std::string name() const = 0;

  // All objects whose key begins with `prefix`, by key. Errors: UNAVAILABLE, PERMISSION_DENIED, NOT_FOUND (no such
  // bucket), as for all methods.
  virtual absl::StatusOr<std::vector<ObjectInfo>> List(const std::string& prefix) = 0;
  // Errors: NOT_FOUND.
  virtual absl::StatusOr<std::string> Get(const std::string& key) = 0;

  enum class Put { kReplace, kNew };
  // Errors: ALREADY_EXISTS when there is such an object and it was to be new.
  virtual absl::Status Write(const std::string& key, const std::string& content, Put put) = 0;
};

}  // namespace ddsp
