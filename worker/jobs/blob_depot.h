#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ddsp/v1/jobs.pb.h"

namespace ddsp::worker {

// Where a job's files come from and go to. Any number of threads may call.
class BlobDepot {
 public:
  virtual ~BlobDepot() = default;
  // Fetches a blob into the file `target`, whose folder is made. Errors: NOT_FOUND, those of the connection and of the
  // disk, CANCELLED.
  virtual absl::Status Fetch(const std::string& sha256, const std::string& target) = 0;
  // Uploads a file; the answer has `path` as its path. Errors: RESOURCE_EXHAUSTED (the server's quota), those of the
  // connection and of the disk, CANCELLED.
  virtual absl::StatusOr<v1::JobFile> Store(const std::string& source, const std::string& path) = 0;
};

}  // namespace ddsp::worker
