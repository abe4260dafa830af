// Looks at the voice of a training run while it goes on, or afterwards: `ddsp train ... --mode eval | sample`.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "core/training/checkpoint_watch.h"
#include "core/training/train_voice.h"

namespace ddsp::training {

struct RunViewOptions {
  WatchOptions watch;
  int64_t examples = 4;  // sounds of a checkpoint, for SampleRun
  double example_seconds = 8;
  std::function<void(const std::string& line)> say;
};

// Measures each checkpoint of the run on what it holds out: a line each through `say`, and metrics.jsonl and event
// files in <trainer.directory>/logs/eval. `run` has the options of the training. Errors: those of ReadMaterial and
// WatchCheckpoints.
absl::Status EvaluateRun(const TrainVoiceOptions& run, const RunViewOptions& options);

// Plays held-out sound with each checkpoint: WAV files in <trainer.directory>/samples/step-<step>, sounds and
// spectrograms in the event files of <trainer.directory>/logs/sample.
absl::Status SampleRun(const TrainVoiceOptions& run, const RunViewOptions& options);

}  // namespace ddsp::training
