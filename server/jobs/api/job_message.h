// Jobs as messages and as the store keeps them.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ddsp/v1/jobs.pb.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "server/jobs/job.h"

namespace ddsp::server {

// A message as JSON text, keys sorted: equal messages give equal texts. Errors: INVALID_JOB_REQUEST that names `field`
// for numbers that are not finite.
absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message, const std::string& field);

// Errors: INTERNAL for a job that no message was made into.
absl::StatusOr<v1::Job> ToMessage(const Job& job);
// The names of metrics are free, their values finite; the examples are at most 16 files. Errors: INVALID_JOB_REQUEST.
absl::StatusOr<JobProgress> ToProgress(const v1::JobProgress& progress);

// "jobs/train-4f0c..." to "train-4f0c...". Errors: INVALID_JOB_REQUEST.
absl::StatusOr<std::string> IdOf(const std::string& name);

google::protobuf::Timestamp ToTimestamp(absl::Time time);
google::protobuf::Duration ToDuration(absl::Duration duration);

}  // namespace ddsp::server
