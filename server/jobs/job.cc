#include "server/jobs/job.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/utf8.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

constexpr std::string_view kStateNames[] = {"QUEUED", "RUNNING", "RETRYABLE", "SUCCEEDED", "FAILED", "CANCELLED"};

// A kind is a word of the protocol: [a-z][a-z0-9-]*.
bool IsKind(std::string_view kind) {
  return !kind.empty() && kind[0] >= 'a' && kind[0] <= 'z' &&
         kind.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == kind.npos;
}

std::string TextProblem(std::string_view value, size_t max_bytes) {
  if (value.size() > max_bytes) return absl::StrCat("is ", value.size(), " bytes long; at most ", max_bytes);
  if (const auto bad = FirstNoText(value)) return absl::StrCat("is not text at byte ", *bad);
  return "";
}

absl::Status ToError(const std::vector<FieldViolation>& violations) {
  if (violations.empty()) return absl::OkStatus();
  const std::string message = absl::StrJoin(violations, "\n", [](std::string* out, const FieldViolation& violation) {
    absl::StrAppend(out, violation.field, " ", violation.description);
  });
  return MakeFieldError(Reason::kInvalidJobRequest, message, violations);
}

}  // namespace

std::string_view NameOf(JobState state) { return kStateNames[static_cast<size_t>(state)]; }

std::optional<JobState> JobStateNamed(std::string_view name) {
  const auto* const found = std::find(std::begin(kStateNames), std::end(kStateNames), name);
  if (found == std::end(kStateNames)) return std::nullopt;
  return static_cast<JobState>(found - std::begin(kStateNames));
}

bool IsFinished(JobState state) {
  return state == JobState::kSucceeded || state == JobState::kFailed || state == JobState::kCancelled;
}

bool IsWaiting(JobState state) { return state == JobState::kQueued || state == JobState::kRetryable; }

absl::Status Validate(const NewJob& job, const JobLimits& limits) {
  std::vector<FieldViolation> violations;
  const auto check = [&](const std::string& field, const std::string& value, size_t max_bytes) {
    if (std::string problem = TextProblem(value, max_bytes); !problem.empty()) {
      violations.push_back({field, std::move(problem)});
    }
  };
  if (!IsKind(job.kind)) violations.push_back({"kind", absl::StrCat("'", job.kind, "' is no kind of job")});
  if (job.request_id.empty()) violations.push_back({"request_id", "is empty"});
  check("kind", job.kind, limits.max_name_bytes);
  check("request_id", job.request_id, limits.max_name_bytes);
  check("display_name", job.display_name, limits.max_name_bytes);
  check("spec", job.spec, limits.max_spec_bytes);
  if (job.priority < -limits.max_priority || job.priority > limits.max_priority) {
    violations.push_back(
        {"priority", absl::StrCat(job.priority, " is not in [-", limits.max_priority, ", ", limits.max_priority, "]")});
  }
  return ToError(violations);
}

absl::Status ValidateText(std::string_view field, std::string_view value, size_t max_bytes) {
  std::string problem = TextProblem(value, max_bytes);
  if (problem.empty()) return absl::OkStatus();
  return ToError({{std::string(field), std::move(problem)}});
}

}  // namespace ddsp::server
