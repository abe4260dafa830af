// Jobs over many files: features, and recordings or features played by a voice.
//
// Voices are played by the server, as live streams without a live pace: it has the voice that the job means, a worker
// needs no copy of a repository that changes, and the samples are those that a live session gives, to the bit. Features
// are extracted here, by the same extractor.
#pragma once

#include <memory>

#include "absl/time/time.h"
#include "worker/jobs/job_runner.h"

namespace grpc {
class Channel;
}

namespace ddsp::worker {

class FeaturesRunner : public JobRunner {
 public:
  // Outputs are tables (core/features/feature_table.h), ending .csv.
  absl::StatusOr<v1::JobResult> Run(const JobContext& context) const override;
};

class TransferRunner : public JobRunner {
 public:
  explicit TransferRunner(std::shared_ptr<grpc::Channel> channel) : channel_(std::move(channel)) {}
  // Outputs are WAV files of 32-bit floats at the rate of the recording, lined up with it, the reverb's tail included.
  absl::StatusOr<v1::JobResult> Run(const JobContext& context) const override;

 private:
  const std::shared_ptr<grpc::Channel> channel_;
};

class RenderRunner : public JobRunner {
 public:
  explicit RenderRunner(std::shared_ptr<grpc::Channel> channel) : channel_(std::move(channel)) {}
  // Inputs are tables (core/features/feature_table.h), outputs WAV files of 32-bit floats at the voice's rate.
  absl::StatusOr<v1::JobResult> Run(const JobContext& context) const override;

 private:
  const std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace ddsp::worker
