#include "client/cli/job_text.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/cli/exit_code.h"

namespace ddsp::client {
namespace {

constexpr char kSpeed[] = "steps_per_second", kLoss[] = "loss", kHeldOut[] = "held_out";

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

std::string Clock(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", TimeOf(time), absl::LocalTimeZone());
}

std::string HoursMinutesSeconds(int64_t seconds) {
  return absl::StrFormat("%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

// Lines as one: an error of a program may have several.
std::string OneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string TellProgress(const v1::Job& job) {
  const v1::JobProgress& progress = job.progress();
  if (progress.done() == 0 && progress.total() == 0) {
    return job.cancel_requested() ? "begins; will be cancelled" : "begins";
  }
  const char* const unit = job.spec().has_train() ? "step" : "file";
  std::string text = absl::StrCat(unit, " ", progress.done());
  if (progress.total() > 0) absl::StrAppend(&text, " of ", progress.total());
  const auto& metrics = progress.metrics();
  // The loss first, then those that are named after it.
  if (const auto loss = metrics.find(kLoss); loss != metrics.end()) {
    absl::StrAppendFormat(&text, ", loss %.4g", loss->second);
  }
  if (const auto held_out = metrics.find(kHeldOut); held_out != metrics.end()) {
    absl::StrAppendFormat(&text, ", held out %.4g", held_out->second);
  }
  std::vector<std::string> others;
  for (const auto& [name, value] : metrics) {
    if (name != kLoss && absl::StrContains(name, kLoss)) others.push_back(absl::StrFormat(", %s %.4g", name, value));
  }
  std::sort(others.begin(), others.end());
  for (const std::string& other : others) text += other;
  if (const auto speed = metrics.find(kSpeed); speed != metrics.end()) {
    absl::StrAppendFormat(&text, ", %.2f steps a second", speed->second);
  }
  if (progress.has_time_left()) {
    absl::StrAppend(&text, ", ", HoursMinutesSeconds(progress.time_left().seconds()), " left");
  }
  if (job.cancel_requested()) text += "; will be cancelled";
  return text;
}

std::string TellResult(const v1::JobResult& result) {
  std::string text = "succeeded";
  if (!result.model().empty()) absl::StrAppend(&text, ": voice ", result.model());
  return absl::StrCat(text, ", ", result.files_size(), result.files_size() == 1 ? " file" : " files");
}

}  // namespace

std::string KindOf(const v1::Job& job) {
  const auto* const field = v1::JobSpec::descriptor()->FindFieldByNumber(job.spec().kind_case());
  return field != nullptr ? field->name() : "?";
}

std::string StateOf(const v1::Job& job) {
  return std::string(absl::StripPrefix(v1::JobState_Name(job.state()), "JOB_STATE_"));
}

double ShareOf(const v1::Job& job) {
  if (job.state() == v1::JOB_STATE_SUCCEEDED) return 1;
  const v1::JobProgress& progress = job.progress();
  if (progress.total() <= 0) return 0;
  return std::clamp(static_cast<double>(progress.done()) / static_cast<double>(progress.total()), 0.0, 1.0);
}

std::string Tell(const v1::Job& job) {
  switch (job.state()) {
    case v1::JOB_STATE_QUEUED:
      return "waits for a worker";
    case v1::JOB_STATE_RUNNING:
      return TellProgress(job);
    case v1::JOB_STATE_RETRYABLE:
      return absl::StrCat("waits for another worker", job.error().empty() ? "" : ": ", OneLine(job.error()));
    case v1::JOB_STATE_SUCCEEDED:
      return TellResult(job.result());
    case v1::JOB_STATE_FAILED:
      return absl::StrCat("failed: ", OneLine(job.error()));
    case v1::JOB_STATE_CANCELLED:
      return "cancelled";
    default:
      return StateOf(job);
  }
}

std::string Describe(const v1::Job& job) {
  std::string text = absl::StrCat(job.name(), "\n  ", KindOf(job), ", ", absl::AsciiStrToLower(StateOf(job)));
  if (!job.display_name().empty()) absl::StrAppend(&text, ", \"", job.display_name(), "\"");
  absl::StrAppend(&text, "\n  ", Tell(job), "\n");
  if (job.spec().has_train()) {
    const v1::TrainSpec& train = job.spec().train();
    absl::StrAppend(&text, "  voice ", train.model(), ", recipe ", train.recipe(), ", ", train.data_size(),
                    " recordings, seed ", train.seed(), "\n");
    for (const std::string& changed : train.overrides()) absl::StrAppend(&text, "    ", changed, "\n");
  }
  absl::StrAppend(&text, "  priority ", job.priority(), ", attempts ", job.attempts(), ", failures ", job.failures());
  if (!job.worker().empty()) absl::StrAppend(&text, ", worker ", job.worker());
  absl::StrAppend(&text, "\n  created ", Clock(job.create_time()));
  if (job.has_start_time()) absl::StrAppend(&text, ", started ", Clock(job.start_time()));
  if (job.has_end_time()) absl::StrAppend(&text, ", done ", Clock(job.end_time()));
  text += "\n";
  if (job.has_checkpoint()) absl::StrAppend(&text, "  checkpoint of step ", job.checkpoint().step(), "\n");
  for (const v1::JobFile& file : job.result().files()) {
    absl::StrAppend(&text, "    ", file.path(), "  ", file.size(), " bytes\n");
  }
  for (const auto& [name, value] : job.result().metrics()) {
    absl::StrAppendFormat(&text, "    %s  %.6g\n", name, value);
  }
  return text;
}

absl::Status OutcomeOf(const v1::Job& job) {
  const std::string said = absl::StrCat(job.name(), " ", Tell(job));
  switch (job.state()) {
    case v1::JOB_STATE_SUCCEEDED:
      return absl::OkStatus();
    case v1::JOB_STATE_FAILED:
      return WithExitCode(absl::AbortedError(said), ExitCode::kJobFailed);
    case v1::JOB_STATE_CANCELLED:
      return WithExitCode(absl::CancelledError(said), ExitCode::kJobCancelled);
    default:
      return WithExitCode(absl::DeadlineExceededError(absl::StrCat(job.name(), " is not done: ", Tell(job))),
                          ExitCode::kJobNotDone);
  }
}

}  // namespace ddsp::client
