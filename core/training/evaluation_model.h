// Looks at a model of a gin configuration while it is trained, or afterwards (upstream: ddsp_run --mode=eval and
// sample).
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "core/training/checkpoint_watch.h"
#include "core/training/train_model.h"

namespace ddsp::training {

struct ModelViewOptions {
  WatchOptions watch;
  int64_t batches = 5;    // of the data set, from its beginning; fewer where it has fewer
  int64_t examples = 16;  // sounds of a checkpoint, for SampleModel
  std::function<void(const std::string& line)> say;
};

// Means of each checkpoint's losses over the data set (of prepared recordings: what is held out) and, for models that make audio at 16 kHz, distances of loudness
// and pitch between it and the recordings: a line each through `say`, and metrics.jsonl and event files in <out>/eval.
// `run` has the options of the training, and the data set to measure on.
absl::Status EvaluateModel(const TrainModelOptions& run, const ModelViewOptions& options);

// Audio of the first examples of the data set by each checkpoint: WAV files in <out>/samples/step-<step>, sounds and
// spectrograms in the event files of <out>/sample. Errors also FAILED_PRECONDITION for a model without audio.
absl::Status SampleModel(const TrainModelOptions& run, const ModelViewOptions& options);

}  // namespace ddsp::training
