// The whole way from a folder of recordings to a bundle: what `ddsp train` does.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "core/training/dataset_material.h"
#include "core/training/evaluation.h"
#include "core/training/trainer.h"
#include "core/training/voice_export.h"

namespace ddsp::training {

struct TrainVoiceOptions {
  std::string recordings;  // folder or file, or a data set that BuildDatasetIn made
  std::string held_out;    // folder, file or data set that is only evaluated on; empty: a part of the recordings
  SplitOptions split;      // of recordings; a data set says itself how it is parted
  std::string bundle;      // version directory to write
  TrainerOptions trainer;  // its directory also takes the data set and the report
  ExportOptions exporting;
  // The other workers, each with these options but for the rank; 1 worker: this process alone. Those whose rank is not
  // 0 wait until worker 0 has read the recordings, train with it, and write nothing but their own data set.
  JoinOptions join{.workers = 1};
  std::string command;          // as typed, for the model card
  bool start_over = false;      // forget the checkpoints in the trainer's directory
  int64_t example_steps = 500;  // steps between listening examples, the last step's included; 0: none
  double example_seconds = 8;   // length of one
  // The run ends, and its voice is exported, once the smoothed loss is at or below; 0: never.
  double early_stop_loss = 0;
  // The same once so many held-out losses in a row were no better than the best before them, which is then the one
  // whose weights are exported; 0: never.
  int64_t patience = 0;

  MaterialOptions material() const {
    return {recordings, held_out, split, trainer.directory, static_cast<int>(trainer.step.shape.sample_rate)};
  }
};

// What the voice makes, so far, of a piece of held-out material (or of training material where nothing is held out).
struct ListeningExample {
  int64_t step = 0;
  std::string name;     // of the recording
  double begin_s = 0;   // where in it
  int sample_rate = 0;  // Hz
  std::vector<float> original, rendered;
};

// What a run tells while it runs. Any may be empty; all are called by the thread that called TrainVoice. Where one
// returns an error TrainVoice ends with it.
struct TrainVoiceEvents {
  std::function<void(const std::string& line)> say;  // what was found, what is done
  std::function<void(double done)> reading;          // 0..1, while recordings are read
  // After each step. kStop: a checkpoint is written and TrainVoice returns with `stopped`.
  std::function<TrainerVerdict(const TrainingProgress&)> step;
  // After each checkpoint: the updates done, and its file, which is complete on disk and stays until
  // trainer.checkpoints_to_keep later ones are written. A run begins from the newest one in
  // <trainer.directory>/checkpoints, whoever put it there.
  std::function<absl::Status(int64_t step, const std::string& path)> checkpoint;
  std::function<absl::Status(const ListeningExample&)> example;  // every example_steps
};

struct TrainVoiceResult {
  bool stopped = false;  // told to, before the last step; nothing was exported
  int64_t step = 0;      // whose weights were exported
  Evaluation evaluation;
  std::vector<RecordingRemark> skipped, warnings;  // of the recordings, those held out included
  double training_seconds = 0;
};

// Builds the data set (or reads its shards), trains (or resumes), evaluates, writes bundle, MODEL_CARD.md beside the
// bundle's files' directory and report.json (the evaluation, recordings that were skipped and warnings) in the
// trainer's directory. Errors, each naming what is wrong: of the recordings (see BuildDataset), FAILED_PRECONDITION
// (not enough voiced material, no held-out material, a data set of other features than the recipe's, a run with other
// options in the directory), ALREADY_EXISTS (the bundle is there), RESOURCE_EXHAUSTED (the disk is full: the last
// checkpoint stays). INTERNAL where a loss or gradient is not finite, with the step, the examples of its batch and the
// last checkpoint; the batch is then in <trainer.directory>/bad-batch.safetensors.
absl::StatusOr<TrainVoiceResult> TrainVoice(const TrainVoiceOptions& options, const TrainVoiceEvents& events);

}  // namespace ddsp::training
