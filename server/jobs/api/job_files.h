#pragma once

#include "absl/status/status.h"
#include "ddsp/v1/jobs.pb.h"
#include "server/blobs/blob_store.h"

namespace ddsp::server {

// The files that a job reads; none where no kind is set.
const google::protobuf::RepeatedPtrField<v1::JobFile>& FilesOf(const v1::JobSpec& spec);

// Touches the blobs, whose grace is then long enough to name them. Errors: BLOB_NOT_FOUND that names the first file
// which has not been uploaded; INVALID_JOB_REQUEST where its size is another.
absl::Status CheckUploaded(const google::protobuf::RepeatedPtrField<v1::JobFile>& files, BlobStore& blobs);

}  // namespace ddsp::server
