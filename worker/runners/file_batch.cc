#include "worker/runners/file_batch.h"

#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "worker/runners/output_paths.h"

namespace ddsp::worker {
namespace {

// Paths in results; an output of that name gives way.
constexpr char kReport[] = "report/files.json";

void Remove(const std::string& file) {
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
}

}  // namespace

absl::StatusOr<v1::JobResult> FileBatch::Run(const google::protobuf::RepeatedPtrField<v1::JobFile>& inputs) {
  Resume();
  saved_ = options_.clock->Now();
  saved_size_ = record_.size();
  std::vector<std::string> paths;
  for (const v1::JobFile& input : inputs) paths.push_back(input.path());
  const std::vector<std::string> outputs = OutputPaths(paths, work_.ending());
  context_.report.SetProgress(record_.size(), inputs.size());
  absl::Status status;
  for (int i = 0; i < inputs.size() && status.ok(); ++i) {
    if (record_.Has(inputs[i].path())) continue;
    status = context_.stop.status();
    if (status.ok()) status = DoFile(inputs[i], outputs[i]);
    if (status.ok()) context_.report.SetProgress(record_.size(), inputs.size());
    const bool due = options_.clock->Now() - saved_ >= options_.checkpoint_interval;
    // Also what was finished before an error is finished.
    if ((due || !status.ok()) && record_.size() > saved_size_) {
      const absl::Status saving = Save();
      if (status.ok() && absl::IsCancelled(saving)) status = saving;
    }
  }
  RETURN_IF_ERROR(status);
  return Result();
}

void FileBatch::Resume() {
  const v1::JobCheckpoint& checkpoint = context_.job.checkpoint();
  if (checkpoint.sha256().empty()) return;
  const std::string file = context_.workspace + "/record";
  absl::Status status = context_.blobs.Fetch(checkpoint.sha256(), file);
  if (status.ok()) {
    const absl::StatusOr<std::string> text = ReadFile(file);
    absl::StatusOr<BatchRecord> record = text.ok() ? BatchRecord::Parse(*text) : text.status();
    status = record.status();
    if (record.ok()) record_ = *std::move(record);
  }
  Remove(file);
  if (!status.ok()) {
    context_.report.Say(absl::StrCat("checkpoint ", checkpoint.step(), " cannot be used: ", status.message()));
  }
}

absl::Status FileBatch::DoFile(const v1::JobFile& input, const std::string& output_path) {
  // The name that errors mention is the user's.
  const std::string folder = context_.workspace + "/";
  const std::string source = folder + "in/" + input.path(), target = folder + "out";
  RETURN_IF_ERROR(context_.blobs.Fetch(input.sha256(), source));
  const FileOutcome outcome = work_.Do(source, target, context_.stop);
  Remove(source);
  if (outcome.kind == FileOutcome::Kind::kCannotGoOn) return outcome.error;
  if (outcome.kind == FileOutcome::Kind::kBadFile) {
    const std::string error = absl::StrReplaceAll(outcome.error.message(), {{folder + "in/", ""}, {folder, ""}});
    context_.report.Say(absl::StrCat("left out: ", error));
    record_.AddSkipped(input.path(), error);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const v1::JobFile output, context_.blobs.Store(target, output_path));
  Remove(target);
  context_.report.AddOutput(output.sha256());
  record_.AddMade(input.path(), output);
  return absl::OkStatus();
}

absl::Status FileBatch::Save() {
  saved_ = options_.clock->Now();
  const std::string file = context_.workspace + "/record";
  RETURN_IF_ERROR(WriteFileAtomically(file, record_.Format()));
  ASSIGN_OR_RETURN(const v1::JobFile blob, context_.blobs.Store(file, "record"));
  saved_size_ = record_.size();
  context_.report.SetCheckpoint(record_.size(), blob.sha256());
  return absl::OkStatus();
}

absl::StatusOr<v1::JobResult> FileBatch::Result() {
  if (record_.made().empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("none of ", record_.size(), " files could be used; ",
                     record_.skipped().empty() ? "" : record_.skipped().begin()->second));
  }
  v1::JobResult result;
  for (const auto& [input, output] : record_.made()) *result.add_files() = output;
  const std::string file = context_.workspace + "/report";
  RETURN_IF_ERROR(WriteFileAtomically(file, record_.Format()));
  ASSIGN_OR_RETURN(*result.add_files(), context_.blobs.Store(file, kReport));
  (*result.mutable_metrics())["files_made"] = static_cast<double>(record_.made().size());
  (*result.mutable_metrics())["files_skipped"] = static_cast<double>(record_.skipped().size());
  return result;
}

}  // namespace ddsp::worker
