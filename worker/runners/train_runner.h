// Trains a voice from recordings: the same bits, whether and wherever the training was interrupted.
#pragma once

#include "absl/time/time.h"
#include "worker/jobs/job_runner.h"

namespace ddsp::worker {

class TrainRunner : public JobRunner {
 public:
  struct Options {
    // What a killed worker loses at most, and a training pays for: 20 MB of upload for each checkpoint.
    absl::Duration checkpoint_interval = absl::Seconds(10);
  };
  explicit TrainRunner(Options options) : options_(options) {}
  // Files of the result: voice/..., the version's folder without its number; report/evaluation.json, which also names
  // recordings that were skipped or are doubtful; report/MODEL_CARD.md and report/metrics.jsonl.
  absl::StatusOr<v1::JobResult> Run(const JobContext& context) const override;

 private:
  const Options options_;
};

}  // namespace ddsp::worker
