#pragma once

#include <string>

#include "absl/status/status.h"
#include "ddsp/v1/jobs.pb.h"

namespace ddsp::server {

// "train": the name of the field that is set; empty where none is.
std::string KindOf(const v1::JobSpec& spec);

// Errors: INVALID_JOB_REQUEST with a violation for each field that is wrong, such as spec.train.data[3].path.
absl::Status Validate(const v1::JobSpec& spec);

// Paths below a folder, each there once, with digests and sizes that can be. Errors: INVALID_JOB_REQUEST with
// violations such as result.files[3].path.
absl::Status ValidateFiles(const std::string& field, const google::protobuf::RepeatedPtrField<v1::JobFile>& files);

}  // namespace ddsp::server
