// Does one thing with each file of a job. What is done is done once: finished files are the checkpoint.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "worker/jobs/job_runner.h"
#include "worker/runners/batch_record.h"

namespace ddsp::worker {

// How it went with one file.
struct FileOutcome {
  enum class Kind {
    kMade,       // the output is there
    kBadFile,    // this input cannot be used; the others may
    kCannotGoOn  // told to stop, or nothing would be better with the next file
  };
  Kind kind = Kind::kMade;
  absl::Status error;

  static FileOutcome Made() { return {}; }
  static FileOutcome BadFile(absl::Status error) { return {Kind::kBadFile, std::move(error)}; }
  static FileOutcome CannotGoOn(absl::Status error) { return {Kind::kCannotGoOn, std::move(error)}; }
};

class FileWork {
 public:
  virtual ~FileWork() = default;
  virtual std::string ending() const = 0;  // of outputs: ".wav"
  // Makes the file `output` from the file `input`.
  virtual FileOutcome Do(const std::string& input, const std::string& output, StopToken& stop) = 0;
};

class FileBatch {
 public:
  struct Options {
    // Between checkpoints: a killed worker's successor does no more than this again, and the file at hand.
    absl::Duration checkpoint_interval = absl::Seconds(1);
    const Clock* clock = &Clock::Steady();
  };
  // Everything outlives this.
  FileBatch(const JobContext& context, FileWork& work, Options options)
      : context_(context), work_(work), options_(options) {}

  // The result's files are the outputs, at the paths of OutputPaths(), and report/files.json, which names the inputs
  // that were left out, each with its error. One file is on disk at a time.
  // Errors: CANCELLED; that of kCannotGoOn; FAILED_PRECONDITION where no input could be used.
  absl::StatusOr<v1::JobResult> Run(const google::protobuf::RepeatedPtrField<v1::JobFile>& inputs);

 private:
  void Resume();
  absl::Status DoFile(const v1::JobFile& input, const std::string& output_path);
  absl::Status Save();
  absl::StatusOr<v1::JobResult> Result();

  const JobContext& context_;
  FileWork& work_;
  const Options options_;
  BatchRecord record_;
  absl::Time saved_;
  int64_t saved_size_ = 0;  // of the record, in files
};

}  // namespace ddsp::worker
