#include "server/jobs/api/jobs_api.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"
#include "server/jobs/api/job_files.h"
#include "server/jobs/api/job_message.h"
#include "server/jobs/api/job_spec.h"
#include "server/jobs/random_id.h"

namespace ddsp::server {
namespace {

constexpr int32_t kDefaultPage = 50;
constexpr int32_t kDefaultLines = 100;
constexpr int32_t kMaxLines = 1000;

absl::StatusOr<absl::Time> RunTimeOf(const v1::CreateJobRequest& request) {
  if (!request.has_run_time()) return absl::InfinitePast();
  const auto& time = request.run_time();
  // Years 1 to 9999, as the type says.
  if (time.seconds() < -62135596800 || time.seconds() > 253402300799 || time.nanos() < 0 || time.nanos() > 999999999) {
    const std::string problem = absl::StrCat(time.seconds(), " s and ", time.nanos(), " ns is no time");
    return MakeFieldError(Reason::kInvalidJobRequest, "run_time: " + problem, {{"run_time", problem}});
  }
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

}  // namespace

absl::Status JobsApi::Create(const v1::CreateJobRequest& request, const JobOwner& owner, v1::Job* response) {
  RETURN_IF_ERROR(Validate(request.spec()));
  if (check_ != nullptr) RETURN_IF_ERROR(check_(request.spec()));
  RETURN_IF_ERROR(CheckUploaded(FilesOf(request.spec()), blobs_));
  NewJob job{.owner = owner};
  job.request_id = request.request_id().empty() ? RandomId(16) : request.request_id();
  job.kind = KindOf(request.spec());
  job.display_name = request.display_name();
  job.priority = request.priority();
  ASSIGN_OR_RETURN(job.run_time, RunTimeOf(request));
  ASSIGN_OR_RETURN(job.spec, ToJson(request.spec(), "spec"));
  ASSIGN_OR_RETURN(const Job created, jobs_.Create(job));
  ASSIGN_OR_RETURN(*response, ToMessage(created));
  return absl::OkStatus();
}

absl::Status JobsApi::Get(const v1::GetJobRequest& request, v1::Job* response) {
  ASSIGN_OR_RETURN(const std::string id, IdOf(request.name()));
  ASSIGN_OR_RETURN(const Job job, jobs_.Get(id));
  ASSIGN_OR_RETURN(*response, ToMessage(job));
  return absl::OkStatus();
}

absl::Status JobsApi::List(const v1::ListJobsRequest& request, v1::ListJobsResponse* response) {
  JobQuery query;
  query.page_size = request.page_size() != 0 ? request.page_size() : kDefaultPage;
  query.page_token = request.page_token();
  ASSIGN_OR_RETURN(query.filter, ParseJobFilter(request.filter()));
  ASSIGN_OR_RETURN(const JobPage page, jobs_.List(query));
  for (const Job& job : page.jobs) {
    ASSIGN_OR_RETURN(*response->add_jobs(), ToMessage(job));
  }
  response->set_next_page_token(page.next_page_token);
  return absl::OkStatus();
}

absl::Status JobsApi::Cancel(const v1::CancelJobRequest& request, v1::Job* response) {
  ASSIGN_OR_RETURN(const std::string id, IdOf(request.name()));
  ASSIGN_OR_RETURN(const Job job, jobs_.Apply(id, JobCancelled{}));
  ASSIGN_OR_RETURN(*response, ToMessage(job));
  return absl::OkStatus();
}

absl::Status JobsApi::ListLogLines(const v1::ListLogLinesRequest& request, v1::ListLogLinesResponse* response) {
  ASSIGN_OR_RETURN(const std::string id, IdOf(request.name()));
  const int32_t max_lines = request.max_lines() != 0 ? request.max_lines() : kDefaultLines;
  if (max_lines < 0 || max_lines > kMaxLines) {
    const std::string problem = absl::StrCat(max_lines, " is not in [0, ", kMaxLines, "]");
    return MakeFieldError(Reason::kInvalidJobRequest, "max_lines " + problem, {{"max_lines", problem}});
  }
  ASSIGN_OR_RETURN(const std::vector<JobLogLine> lines, jobs_.ReadLog(id, request.after(), max_lines));
  for (const JobLogLine& line : lines) {
    v1::LogLine* const added = response->add_lines();
    added->set_number(line.number);
    *added->mutable_time() = ToTimestamp(line.time);
    added->set_text(line.text);
  }
  return absl::OkStatus();
}

}  // namespace ddsp::server
