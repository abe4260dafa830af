// Jobs over many files: features, and recordings or features played by a voice.
//
// Voices are played by the server, as live streams without a live pace: it has the voice that the job means, a worker
// needs no copy of a repository that changes, and the samples are those that a live session gives, to the bit. Features
// are extracted here, by the same extractor.
#pragma once

#include <memory>

#include "worker/jobs/job_runner.h"
#include "worker/runners/file_batch.h"

namespace grpc {
class Channel;
}

namespace ddsp::worker {

class FeaturesRunner : public JobRunner {
 public:
  explicit FeaturesRunner(FileBatch::Options batch) : batch_(batch) {}
  // Outputs are tables (core/features/feature_table.h), ending .csv.
  absl::StatusOr<v1::JobResult> Run(const JobContext& context) const override;

 private:
  const FileBatch::Options batch_;
};

class TransferRunner : public JobRunner {
 public:
  TransferRunner(std::shared_ptr<grpc::Channel> channel, FileBatch::Options batch)
      : channel_(std::move(channel)), batch_(batch) {}
  // Outputs are WAV files of 32-bit floats at the rate of the recording, lined up with it, the reverb's tail included.
  absl::StatusOr<v1::JobResult> Run(const JobContext& context) const override;

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  const FileBatch::Options batch_;
};

class RenderRunner : public JobRunner {
 public:
  RenderRunner(std::shared_ptr<grpc::Channel> channel, FileBatch::Options batch)
      : channel_(std::move(channel)), batch_(batch) {}
  // Inputs are tables (core/features/feature_table.h), outputs WAV files of 32-bit floats at the voice's rate.
  absl::StatusOr<v1::JobResult> Run(const JobContext& context) const override;

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  const FileBatch::Options batch_;
};

}  // namespace ddsp::worker
