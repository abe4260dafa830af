// Files to and from a server's blob store, whole or not at all, however often the connection is lost.
//
// A blob is named by the SHA-256 of its bytes, so a transfer that was cut off, by whatever killed either side, goes on
// where it stopped when it is asked for again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/sdk/file_hash.h"
#include "client/sdk/retry.h"
#include "ddsp/v1/jobs.grpc.pb.h"

namespace ddsp::client {

class JobsCaller;

// How far a transfer is, in bytes; `done` begins where an earlier one stopped. Called on the transferring thread.
using TransferProgress = std::function<void(int64_t done, int64_t size)>;

// Any number of threads may call, each for files of its own. Errors are the system's with the path, those of the server
// (error.h), UNAVAILABLE or DEADLINE_EXCEEDED once options.retry gives up without a byte having moved, and CANCELLED.
class BlobTransfer {
 public:
  BlobTransfer(const std::shared_ptr<grpc::Channel>& channel, CallOptions options);
  BlobTransfer(std::shared_ptr<v1::Jobs::StubInterface> stub, CallOptions options);
  // With what it knows of the server: whether it has ever answered.
  explicit BlobTransfer(std::shared_ptr<JobsCaller> caller);
  ~BlobTransfer();

  // Hashes the file and sends what the server has not: nothing where it knows the bytes already.
  // Errors: FAILED_PRECONDITION where the file changes meanwhile; RESOURCE_EXHAUSTED (BLOB_QUOTA_EXCEEDED).
  absl::StatusOr<Blob> UploadFile(const std::string& path, const TransferProgress& progress = {});
  // Forgets what has come of an upload; no error where nothing has.
  absl::Status CancelUpload(const std::string& sha256);

  // Fetches a blob into `path`, whose folder is made where there is none: through `path`.<digest>.part, which stays for
  // the next time when the transfer is cut off, and a rename once every byte is checked. Does nothing where the file is
  // there and right.
  // Errors: NOT_FOUND (BLOB_NOT_FOUND); DATA_LOSS for bytes that are not the blob's, twice.
  absl::Status Download(const std::string& sha256, const std::string& path, const TransferProgress& progress = {});

 private:
  const std::shared_ptr<JobsCaller> caller_;
};

}  // namespace ddsp::client
