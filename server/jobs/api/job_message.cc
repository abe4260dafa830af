#include "server/jobs/api/job_message.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"
#include "google/protobuf/util/json_util.h"
#include "server/errors/echo.h"
#include "server/errors/errors.h"
#include "server/jobs/api/job_spec.h"

namespace ddsp::server {
namespace {

constexpr char kNamePrefix[] = "jobs/";
constexpr int kMaxExamples = 16;

v1::JobState ToMessage(JobState state) {
  switch (state) {
    case JobState::kQueued:
      return v1::JOB_STATE_QUEUED;
    case JobState::kRunning:
      return v1::JOB_STATE_RUNNING;
    case JobState::kRetryable:
      return v1::JOB_STATE_RETRYABLE;
    case JobState::kSucceeded:
      return v1::JOB_STATE_SUCCEEDED;
    case JobState::kFailed:
      return v1::JOB_STATE_FAILED;
    case JobState::kCancelled:
      return v1::JOB_STATE_CANCELLED;
  }
  return v1::JOB_STATE_UNSPECIFIED;
}

absl::Status FromJson(const std::string& json, google::protobuf::Message* message) {
  const auto parsed = google::protobuf::util::JsonStringToMessage(json, message);
  if (parsed.ok()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("the job store holds no ", message->GetDescriptor()->full_name(), ": ",
                                          std::string(parsed.message())));
}

void SetTime(absl::Time time, google::protobuf::Timestamp* to) {
  const int64_t micros = absl::ToUnixMicros(time);
  const int64_t seconds = absl::ToUnixSeconds(time);
  to->set_seconds(seconds);
  to->set_nanos(static_cast<int32_t>((micros - seconds * 1'000'000) * 1000));
}

absl::Status SetProgress(const Job& job, v1::JobProgress* progress) {
  progress->set_done(job.progress.done);
  progress->set_total(job.progress.total);
  if (!job.progress.metrics.empty()) {
    v1::JobProgress metrics;
    RETURN_IF_ERROR(FromJson(absl::StrCat("{\"metrics\": ", job.progress.metrics, "}"), &metrics));
    *progress->mutable_metrics() = metrics.metrics();
  }
  if (!job.progress.examples.empty()) {
    v1::JobProgress examples;
    RETURN_IF_ERROR(FromJson(absl::StrCat("{\"examples\": ", job.progress.examples, "}"), &examples));
    progress->mutable_examples()->Swap(examples.mutable_examples());
  }
  if (job.state != JobState::kRunning || job.progress.done <= 0 || job.progress.total <= job.progress.done) {
    return absl::OkStatus();
  }
  const double left = static_cast<double>(job.progress.total - job.progress.done) / job.progress.done;
  *progress->mutable_time_left() = ToDuration((job.update_time - job.start_time) * left);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message, const std::string& field) {
  std::string json;
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  const auto printed = google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!printed.ok()) {
    const std::string problem(printed.message());
    return MakeFieldError(Reason::kInvalidJobRequest, absl::StrCat(field, ": ", problem), {{field, problem}});
  }
  return nlohmann::json::parse(json).dump();
}

absl::StatusOr<v1::Job> ToMessage(const Job& job) {
  v1::Job message;
  message.set_name(kNamePrefix + job.id);
  RETURN_IF_ERROR(FromJson(job.spec, message.mutable_spec()));
  message.set_display_name(job.display_name);
  message.set_priority(static_cast<int32_t>(job.priority));
  message.set_state(ToMessage(job.state));
  message.set_done(IsFinished(job.state));
  message.set_revision(job.revision);
  SetTime(job.create_time, message.mutable_create_time());
  SetTime(job.update_time, message.mutable_update_time());
  SetTime(job.run_time, message.mutable_run_time());
  if (job.start_time != absl::UnixEpoch()) SetTime(job.start_time, message.mutable_start_time());
  if (job.end_time != absl::UnixEpoch()) SetTime(job.end_time, message.mutable_end_time());
  message.set_attempts(job.attempts);
  message.set_failures(job.failures);
  message.set_worker(job.worker);
  message.set_cancel_requested(job.cancel_requested);
  RETURN_IF_ERROR(SetProgress(job, message.mutable_progress()));
  if (!job.checkpoint.blob.empty()) {
    message.mutable_checkpoint()->set_step(job.checkpoint.step);
    message.mutable_checkpoint()->set_sha256(job.checkpoint.blob);
  }
  if (job.state == JobState::kSucceeded) {
    RETURN_IF_ERROR(FromJson(job.result, message.mutable_result()));
  } else if (!job.error.empty()) {
    message.set_error(job.error);
  }
  return message;
}

absl::StatusOr<JobProgress> ToProgress(const v1::JobProgress& progress) {
  nlohmann::json metrics = nlohmann::json::object();
  for (const auto& [name, value] : progress.metrics()) {
    if (!std::isfinite(value)) {
      const std::string problem = absl::StrCat("'", name, "' is ", value);
      return MakeFieldError(Reason::kInvalidJobRequest, absl::StrCat("progress.metrics ", problem),
                            {{"progress.metrics", problem}});
    }
    metrics[name] = value;
  }
  JobProgress made{progress.done(), progress.total(), metrics.empty() ? "" : metrics.dump()};
  if (progress.examples().empty()) return made;
  if (progress.examples_size() > kMaxExamples) {
    const std::string problem = absl::StrCat("holds ", progress.examples_size(), " files; at most ", kMaxExamples);
    return MakeFieldError(Reason::kInvalidJobRequest, "progress.examples " + problem, {{"progress.examples", problem}});
  }
  RETURN_IF_ERROR(ValidateFiles("progress.examples", progress.examples()));
  v1::JobProgress examples;
  *examples.mutable_examples() = progress.examples();
  ASSIGN_OR_RETURN(const std::string json, ToJson(examples, "progress"));
  made.examples = nlohmann::json::parse(json)["examples"].dump();
  return made;
}

absl::StatusOr<std::string> IdOf(const std::string& name) {
  absl::string_view id = name;
  if (absl::ConsumePrefix(&id, kNamePrefix) && !id.empty()) return std::string(id);
  const std::string problem = absl::StrCat("'", Echo(name), "' is not jobs/ID");
  return MakeFieldError(Reason::kInvalidJobRequest, absl::StrCat("name ", problem), {{"name", problem}});
}

google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  google::protobuf::Timestamp timestamp;
  SetTime(time, &timestamp);
  return timestamp;
}

google::protobuf::Duration ToDuration(absl::Duration duration) {
  google::protobuf::Duration message;
  const int64_t seconds = absl::ToInt64Seconds(duration);
  message.set_seconds(seconds);
  message.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration - absl::Seconds(seconds))));
  return message;
}

}  // namespace ddsp::server
