#include "server/jobs/job_checks.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

constexpr int64_t kMaxPageSize = 1000;
constexpr int64_t kMaxClaims = 100;
constexpr size_t kMaxKinds = 16;
constexpr size_t kMaxLinesAtOnce = 1000;
constexpr int64_t kMaxOutputsAtOnce = 1000;
constexpr size_t kDigestLength = 64;

absl::Status BadField(const std::string& field, const std::string& problem) {
  return MakeFieldError(Reason::kInvalidJobRequest, absl::StrCat(field, " ", problem), {{field, problem}});
}

absl::Status CheckRange(const std::string& field, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return BadField(field, absl::StrCat(value, " is not in [", least, ", ", most, "]"));
}

// One function for each kind of event.
struct Check {
  const JobLimits& limits;

  absl::Status operator()(const JobClaimed&) { return BadField("event", "is a claim, which Claim() makes"); }
  absl::Status operator()(const JobHeartbeat& event) {
    if (event.progress.has_value()) {
      RETURN_IF_ERROR(CheckRange("progress.done", event.progress->done, 0, INT64_MAX));
      RETURN_IF_ERROR(CheckRange("progress.total", event.progress->total, 0, INT64_MAX));
      RETURN_IF_ERROR(ValidateText("progress.metrics", event.progress->metrics, limits.max_text_bytes));
      RETURN_IF_ERROR(ValidateText("progress.examples", event.progress->examples, limits.max_text_bytes));
    }
    RETURN_IF_ERROR(CheckRange("outputs", static_cast<int64_t>(event.outputs.size()), 0, kMaxOutputsAtOnce));
    for (const std::string& blob : event.outputs) RETURN_IF_ERROR(ValidateText("outputs", blob, kDigestLength));
    if (!event.checkpoint.has_value()) return absl::OkStatus();
    RETURN_IF_ERROR(CheckRange("checkpoint.step", event.checkpoint->step, 0, INT64_MAX));
    return ValidateText("checkpoint.blob", event.checkpoint->blob, kDigestLength);
  }
  absl::Status operator()(const JobCompleted& event) {
    return ValidateText("result", event.result, limits.max_result_bytes);
  }
  absl::Status operator()(const JobAttemptFailed& event) {
    return ValidateText("error", event.error, limits.max_text_bytes);
  }
  absl::Status operator()(const JobReleased&) { return absl::OkStatus(); }
  absl::Status operator()(const JobCancelled&) { return absl::OkStatus(); }
  absl::Status operator()(const JobLeaseChecked&) { return absl::OkStatus(); }
};

}  // namespace

absl::Status CheckQuery(const JobQuery& query, const JobLimits& limits) {
  RETURN_IF_ERROR(CheckRange("page_size", query.page_size, 1, kMaxPageSize));
  RETURN_IF_ERROR(ValidateText("filter", query.filter.kind, limits.max_name_bytes));
  return ValidateText("filter", query.filter.display_name, limits.max_name_bytes);
}

absl::Status CheckClaim(const JobClaim& claim, const JobLimits& limits) {
  RETURN_IF_ERROR(CheckRange("max_jobs", claim.max_jobs, 1, kMaxClaims));
  if (claim.kinds.empty() || claim.kinds.size() > kMaxKinds) {
    return BadField("kinds", absl::StrCat("holds ", claim.kinds.size(), " kinds, not 1 to ", kMaxKinds));
  }
  for (const std::string& kind : claim.kinds) RETURN_IF_ERROR(ValidateText("kinds", kind, limits.max_name_bytes));
  RETURN_IF_ERROR(ValidateText("job_id", claim.job_id, limits.max_name_bytes));
  if (claim.worker.empty()) return BadField("worker", "is empty");
  return ValidateText("worker", claim.worker, limits.max_name_bytes);
}

absl::Status CheckEvent(const JobEvent& event, const JobLimits& limits) { return std::visit(Check{limits}, event); }

absl::Status CheckLogLines(const std::vector<std::string>& lines, const JobLimits& limits) {
  RETURN_IF_ERROR(CheckRange("lines", static_cast<int64_t>(lines.size()), 0, kMaxLinesAtOnce));
  for (const std::string& line : lines) RETURN_IF_ERROR(ValidateText("lines", line, limits.max_text_bytes));
  return absl::OkStatus();
}

}  // namespace ddsp::server
