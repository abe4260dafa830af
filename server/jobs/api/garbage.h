// What nobody needs any more: finished jobs that are old, bytes that no job names.
//
// Called again and again by whoever keeps the store, on a thread that may wait for the database and the disk.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/blobs/blob_store.h"
#include "server/jobs/job_store.h"

namespace ddsp::server {

struct GarbageCollected {
  int64_t blobs = 0;
  int64_t bytes = 0;
};

// Removes blobs that no job needs and that nobody has asked for during their grace (BlobGrace): an upload is safe until
// a job can name it. Several servers must not share the blobs of one folder, and do not (its lock).
// Removes what it can; errors: JOB_STORE_UNAVAILABLE, the system's.
absl::StatusOr<GarbageCollected> CollectGarbage(JobStore& jobs, BlobStore& blobs, const BlobGrace& grace = {});

}  // namespace ddsp::server
