// Bytes on disk by their SHA-256: recordings, checkpoints, results of jobs.
//
//   <folder>/blobs/4f/4f0c...      a whole blob; made by rename, never changed
//   <folder>/uploads/4f0c...       what has come of one so far
// The digest names the upload too: who uploads the same bytes again goes on where the last one stopped, also after the
// client or the server was killed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"

namespace ddsp::server {

struct BlobStoreOptions {
  std::string folder;
  // Bytes of all blobs and of uploads, each counted whole from its beginning.
  int64_t quota = int64_t{64} << 30;
  int64_t max_blob_bytes = int64_t{8} << 30;
  // Uploads at once.
  int64_t max_uploads = 1024;
  // One that nothing was added to for so long is given up.
  absl::Duration upload_timeout = absl::Hours(24);
};

// How long a blob that no job needs is kept since it was uploaded, or its digest last spoken of: within that time a
// client that was told that it is here can name it.
struct BlobGrace {
  absl::Duration unnamed = absl::Hours(24);
  // Of one whose job has replaced it by a newer one: whoever has the same bytes asks and names within moments.
  absl::Duration superseded = absl::Minutes(1);
};

// Where an upload is.
struct UploadStatus {
  int64_t offset = 0;  // the next byte that is wanted
  bool complete = false;
};

// Any number of threads may call.
class BlobStore {
 public:
  // Takes over what an earlier process left in the folder, which is made where there is none; one process at a time
  // (a lock file). `clock` outlives the store.
  // Errors: INVALID_ARGUMENT for options; FAILED_PRECONDITION while another process has the folder; the system's.
  static absl::StatusOr<std::unique_ptr<BlobStore>> Open(const BlobStoreOptions& options, const Clock& clock);
  ~BlobStore();

  // Begins an upload, or says where the one that is under way is; complete at once where the blob is here already.
  // Errors: INVALID_BLOB_REQUEST for a digest or size that cannot be; BLOB_QUOTA_EXCEEDED.
  absl::StatusOr<UploadStatus> BeginUpload(const std::string& sha256, int64_t size);
  // Adds bytes at `offset`, whose CRC-32C the client has computed. The last ones complete the blob, on disk and
  // checked. Errors: BLOB_NOT_FOUND without BeginUpload(); UPLOAD_OFFSET_MISMATCH with "expected" and "got", which
  // changes nothing; BLOB_CHECKSUM_MISMATCH: of these bytes (send them again) or of the whole (which is dropped: begin
  // again); INVALID_BLOB_REQUEST for more bytes than were announced; BLOB_QUOTA_EXCEEDED for a full disk.
  absl::StatusOr<UploadStatus> Append(const std::string& sha256, int64_t offset, std::string_view bytes,
                                      uint32_t crc32c);
  // Drops an upload. OK where there is none.
  absl::Status CancelUpload(const std::string& sha256);

  // Errors: BLOB_NOT_FOUND.
  absl::StatusOr<int64_t> SizeOf(const std::string& sha256) const;
  // At most `max_bytes` from `offset`; fewer at the end, none behind it. Errors: BLOB_NOT_FOUND, INVALID_BLOB_REQUEST.
  absl::StatusOr<std::string> Read(const std::string& sha256, int64_t offset, int64_t max_bytes) const;
  // For code on this machine that maps the file. Errors: BLOB_NOT_FOUND.
  absl::StatusOr<std::string> PathOf(const std::string& sha256) const;
  // OK where there is none.
  absl::Status Remove(const std::string& sha256);

  // As SizeOf(); its grace begins anew.
  absl::StatusOr<int64_t> Touch(const std::string& sha256);
  // A job needs it no longer; others may. Its grace begins anew, and is short until somebody touches it or uploads it
  // again.
  void Supersede(const std::string& sha256);
  // Those whose grace is over.
  std::vector<std::string> Idle(const BlobGrace& grace) const;
  // Removes a blob if its grace is still over; returns its bytes, 0 where it stays.
  absl::StatusOr<int64_t> RemoveIdle(const std::string& sha256, const BlobGrace& grace);

  // Gives up uploads that nothing was added to for the timeout; returns how many.
  int64_t DropStaleUploads();

  // Bytes that count against the quota.
  int64_t bytes_used() const;
  int64_t uploads() const;

 private:
  class Upload;
  struct Blob {
    int64_t size = 0;
    mutable int64_t touched_us = 0;
    bool superseded = false;
  };
  BlobStore(const BlobStoreOptions& options, const Clock& clock, int lock_file);
  absl::Status TakeOver();
  int64_t BytesUsed() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Of an upload that is in the table already.
  absl::Status Admit(int64_t size) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Touch(const std::string& sha256, Blob* blob) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  static bool IsIdle(const Blob& blob, const BlobGrace& grace, absl::Time now);
  absl::Status Erase(std::map<std::string, Blob>::iterator blob) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<std::shared_ptr<Upload>> FindUpload(const std::string& sha256) const;
  absl::Status Finish(Upload& upload);
  void Drop(Upload& upload);
  void Forget(const std::string& sha256);
  std::string BlobPath(const std::string& sha256) const;
  std::string UploadPath(const std::string& sha256) const;

  const BlobStoreOptions options_;
  const Clock& clock_;
  const int lock_file_;
  mutable Mutex mu_;
  std::map<std::string, Blob> blobs_ ABSL_GUARDED_BY(mu_);  // by digest
  std::map<std::string, std::shared_ptr<Upload>> uploads_ ABSL_GUARDED_BY(mu_);
  int64_t blob_bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ddsp::server
