#pragma once

#include <google/protobuf/repeated_field.h>

#include "absl/status/statusor.h"
#include "client/cli/job_inputs.h"
#include "client/cli/job_session.h"
#include "ddsp/v1/jobs.pb.h"

namespace ddsp::client {

// Says on stderr what is taken and what is skipped.
void Report(const std::string& what, const InputFiles& inputs);

// Uploads the files, with a bar on a terminal; what the server has already is not sent again, so that an upload that
// was stopped goes on. Errors: those of BlobTransfer.
absl::StatusOr<google::protobuf::RepeatedPtrField<v1::JobFile>> Upload(const InputFiles& inputs, BlobTransfer& blobs);

}  // namespace ddsp::client
