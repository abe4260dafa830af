#include "server/jobs/desk/job_journal.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace ddsp::server {
namespace {

// Constants, as the log wants them.
std::string_view EventOf(JobStep step) {
  switch (step) {
    case JobStep::kCreated:
      return "job.created";
    case JobStep::kClaimed:
      return "job.claimed";
    case JobStep::kReleased:
      return "job.released";
    case JobStep::kAttemptFailed:
      return "job.attempt_failed";
    case JobStep::kLeaseLost:
      return "job.lease_lost";
    case JobStep::kCancelRequested:
      return "job.cancel_requested";
    case JobStep::kSucceeded:
      return "job.succeeded";
    case JobStep::kFailed:
      return "job.failed";
    case JobStep::kCancelled:
      return "job.cancelled";
  }
  return "";
}

bool IsTrouble(JobStep step) {
  return step == JobStep::kAttemptFailed || step == JobStep::kLeaseLost || step == JobStep::kFailed;
}

std::vector<LogField> FieldsOf(const JobNews& news) {
  const Job& job = news.job;
  std::vector<LogField> fields = {{"job", job.id}, {"kind", job.kind}};
  if (!news.tenant.empty()) fields.push_back({"tenant", news.tenant});
  if (!job.display_name.empty()) fields.push_back({"name", job.display_name});
  if (job.attempts > 0) {
    fields.push_back({"attempt", job.attempts});
    fields.push_back({"worker", job.worker});
  }
  if (!job.checkpoint.blob.empty()) fields.push_back({"checkpoint_step", job.checkpoint.step});
  if (job.state == JobState::kRetryable) {
    fields.push_back({"again_in_seconds", std::max(0.0, absl::ToDoubleSeconds(job.run_time - job.update_time))});
  }
  if (IsFinished(job.state) && job.start_time != absl::UnixEpoch()) {
    fields.push_back({"seconds", absl::ToDoubleSeconds(job.end_time - job.start_time)});
  }
  if (IsTrouble(news.step)) fields.push_back({"error", job.error});
  return fields;
}

}  // namespace

std::function<void(const JobNews& news)> TellNews(Log* log) {
  if (log == nullptr) return nullptr;
  return [log](const JobNews& news) {
    const LogLevel level = IsTrouble(news.step) ? LogLevel::kWarning : LogLevel::kInfo;
    if (!log->Wants(level)) return;
    const std::string what = absl::StrReplaceAll(std::string(NameOf(news.step)), {{"_", " "}});
    log->Write(level, EventOf(news.step), absl::StrCat("job ", what), FieldsOf(news));
  };
}

}  // namespace ddsp::server
