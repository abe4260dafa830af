#include "core/training/trainer.h"

#include <torch/torch.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/crc32c.h"
#include "core/base/status_macros.h"
#include "core/streaming/frame_between.h"
#include "core/training/checkpoint.h"
#include "core/training/recipe_defaults.h"
#include "core/training/seed.h"
#include "core/training/tensor_memory.h"

namespace ddsp::training {
namespace {

std::string CheckpointFolder(const TrainerOptions& options) { return options.directory + "/checkpoints"; }

}  // namespace

std::string TrainerOptions::Describe() const {
  const VoiceShape& s = step.shape;
  const LearningRate& rate = step.learning_rate;
  return absl::StrCat(
      s.recipe == Recipe::kVst ? "" : NameOf(s.recipe) + " ", "shape ",
      absl::StrJoin({s.sample_rate, s.hop, s.channels, s.layers_per_stack, s.rnn_channels, s.harmonics, s.noise_bands,
                     s.reverb_length, s.reverb_frames, s.reverb_bands},
                    "/"),
      " bias ", s.noise_bias, "/", s.reverb_bias, " fft ", absl::StrJoin(step.objective.fft_sizes, "/"), " weights ",
      step.objective.mag_weight, "/", step.objective.logmag_weight, " log floor ", step.objective.log_floor, " rate ",
      NameOf(rate.shape), " ", rate.peak, " decay ", rate.decay_rate, "/", rate.decay_steps, " warm-up ",
      rate.warmup_steps, " of ", rate.total_steps, " to ", rate.final_fraction, " reverb rate ", step.reverb_rate,
      " clip ", step.clip_norm, " shards ", step.shards,
      group == nullptr ? "" : absl::StrCat(" workers ", group->workers()), " batch ", batch_size, " seed ", seed,
      augmentation.any()
          ? absl::StrCat(" varied by ", augmentation.pitch_semitones, " semitones and ", augmentation.gain_db, " dB")
          : "",
      begin_from.empty() ? "" : " from ", begin_from);
}

TrainingBatch MakeBatch(const VoiceShape& shape, const Dataset& dataset, const std::vector<Segment>& windows,
                        const std::vector<Variation>& variations) {
  TrainingBatch batch;
  if (windows.empty()) return batch;
  const int64_t samples = windows[0].end - windows[0].begin, count = static_cast<int64_t>(windows.size());
  const int64_t frames = shape.frames(samples), per_frame = dataset.hop() / shape.hop;
  batch.audio = at::empty({count, samples});
  batch.controls = {at::empty({count, frames}), at::empty({count, frames})};
  for (int64_t item = 0; item < count; ++item) {
    const WindowSound sound = VaryWindow(dataset, windows[item], variations.empty() ? Variation() : variations[item]);
    std::copy(sound.audio.begin(), sound.audio.end(), batch.audio[item].data_ptr<float>());
    const std::vector<FeatureFrame>& features = sound.frames;
    float* level_db = batch.controls.level_db[item].data_ptr<float>();
    float* f0_hz = batch.controls.f0_hz[item].data_ptr<float>();
    for (int64_t t = 0; t < frames; ++t) {
      const int64_t from = t / per_frame, rest = t % per_frame;
      const FeatureFrame frame = rest == 0 ? features[from]
                                           : FrameBetween(features[from], features[from + 1],
                                                          static_cast<double>(rest) / static_cast<double>(per_frame));
      level_db[t] = shape.recipe == Recipe::kVst ? frame.power_db : frame.loudness_db;
      f0_hz[t] = frame.f0_hz;
    }
  }
  return batch;
}

double HeldOutLoss(const StepOptions& options, const Parameters& weights, const TrainingBatch& batch, uint64_t seed) {
  if (!batch.audio.defined()) return 0;
  const at::NoGradGuard no_gradients;
  const int64_t items = batch.audio.size(0), frames = batch.controls.f0_hz.size(1);
  const SpectralLoss loss(RecipeLoss(options.shape.sample_rate));
  double total = 0;
  for (int64_t item = 0; item < items; ++item) {
    // One at a time: a few megabytes, whatever the size of the held-out material.
    const VoiceNoise noise = DrawNoise(options.shape, DeriveSeed(seed, "held out", 0), 0, item, 1, frames);
    const VoiceControls controls{batch.controls.level_db.slice(0, item, item + 1),
                                 batch.controls.f0_hz.slice(0, item, item + 1)};
    const at::Tensor audio = Synthesize(options.shape, weights, controls, noise.audio,
                                        ReverbImpulseResponse(options.shape, weights, noise.reverb));
    total += loss(batch.audio.slice(0, item, item + 1), audio).item<double>();
  }
  return total / static_cast<double>(items);
}

Trainer::Trainer(const TrainerOptions& options, const Dataset& dataset, const std::vector<Segment>& training_windows,
                 TrainingBatch held_out)
    : options_(options),
      dataset_(dataset),
      windows_(training_windows),
      held_out_(std::move(held_out)),
      order_(DeriveSeed(options.seed, "order", 0), static_cast<int64_t>(training_windows.size())),
      step_(std::make_unique<TrainStep>(
          options.step, InitialParameters(options.step.shape, DeriveSeed(options.seed, "weights", 0)), options.group)) {
  progress_.steps = options.steps;
}

absl::StatusOr<std::unique_ptr<Trainer>> Trainer::Create(const TrainerOptions& options, const Dataset& dataset,
                                                         const std::vector<Segment>& training_windows,
                                                         TrainingBatch held_out) {
  if (training_windows.empty()) {
    return absl::FailedPreconditionError("no training examples are left after holding out and dropping silence");
  }
  KeepTensorMemory();
  std::unique_ptr<Trainer> trainer(new Trainer(options, dataset, training_windows, std::move(held_out)));
  if (options.group != nullptr) RETURN_IF_ERROR(trainer->CheckGroup());
  if (trainer->IsFirst()) {
    RETURN_IF_ERROR(trainer->Resume());
    ASSIGN_OR_RETURN(trainer->log_, MetricsLog::Open(options.directory + "/logs", trainer->step_->step()));
  }
  if (options.group != nullptr) {
    RETURN_IF_ERROR(trainer->step_->CopyFromFirst());
    const at::Tensor loss = at::full({1}, trainer->progress_.loss, at::kDouble);
    RETURN_IF_ERROR(options.group->CopyFromFirst(loss));
    trainer->progress_.loss = loss.item<double>();
  }
  trainer->progress_.step = trainer->step_->step();
  return trainer;
}

absl::Status Trainer::CheckGroup() const {
  WorkerGroup& group = *options_.group;
  if (group.workers() > options_.batch_size) {
    return absl::InvalidArgumentError(
        absl::StrCat(group.workers(), " workers share a batch of ", options_.batch_size, ": each needs an example"));
  }
  RETURN_IF_ERROR(CheckSame(group, "set of options", absl::StrCat(options_.Describe(), " steps ", options_.steps)));
  uint32_t audio = 0;
  for (const Recording& recording : dataset_.recordings) {
    audio = ExtendCrc32c(
        audio, {reinterpret_cast<const char*>(recording.audio.data()), recording.audio.size() * sizeof(float)});
  }
  return CheckSame(group, "data set",
                   absl::StrCat(dataset_.recordings.size(), " recordings, ", windows_.size(), " examples, checksum ",
                                absl::Hex(audio)));
}

absl::Status Trainer::Resume() {
  absl::StatusOr<Checkpoint> checkpoint = ReadLatestCheckpoint(CheckpointFolder(options_), options_.step.shape);
  if (absl::IsNotFound(checkpoint.status())) {
    if (options_.begin_from.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const Checkpoint begin, ReadCheckpoint(options_.begin_from, options_.step.shape));
    for (const auto& [name, view] : step_->weights()) view.copy_(begin.weights.at(name));
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(checkpoint.status());
  if (checkpoint->run_options != options_.Describe()) {
    return absl::FailedPreconditionError(
        absl::StrCat(options_.directory, " holds a run with other options: begin anew or give its options.\n  there: ",
                     checkpoint->run_options, "\n  here:  ", options_.Describe()));
  }
  step_->Restore(checkpoint->step, checkpoint->weights, checkpoint->first_moments, checkpoint->second_moments);
  progress_.step = checkpoint->step;
  progress_.loss = checkpoint->smoothed_loss;
  return absl::OkStatus();
}

absl::Status Trainer::Save() const {
  if (!IsFirst()) return absl::OkStatus();
  RETURN_IF_ERROR(WriteCheckpoint(CheckpointFolder(options_),
                                  {step_->step(), options_.seed, options_.Describe(), step_->weights(),
                                   step_->first_moments(), step_->second_moments(), progress_.loss},
                                  options_.checkpoints_to_keep));
  if (!options_.saved) return absl::OkStatus();
  return options_.saved(step_->step(), CheckpointPath(CheckpointFolder(options_), step_->step()));
}

std::vector<Segment> Trainer::NextWindows() {
  std::vector<Segment> windows;
  for (int64_t item = 0; item < options_.batch_size; ++item) {
    windows.push_back(windows_[order_.At(step_->step() * options_.batch_size + item)]);
  }
  return windows;
}

TrainingBatch Trainer::NextBatch(int64_t begin, int64_t end) {
  const std::vector<Segment> windows = NextWindows();
  std::vector<Variation> variations;
  for (int64_t item = begin; options_.augmentation.any() && item < end; ++item) {
    variations.push_back(DrawVariation(options_.augmentation, options_.seed, step_->step(), item));
  }
  return MakeBatch(options_.step.shape, dataset_, {windows.begin() + begin, windows.begin() + end}, variations);
}

absl::StatusOr<StepReport> Trainer::Step() {
  // This worker's part of the batch and of its noise.
  const int64_t rank = IsFirst() ? 0 : options_.group->rank(), size = options_.batch_size;
  const int64_t workers = options_.group == nullptr ? 1 : options_.group->workers();
  const int64_t begin = size * rank / workers, end = size * (rank + 1) / workers;
  const VoiceShape& shape = options_.step.shape;
  TrainingBatch batch = NextBatch(begin, end);
  batch.whole = size;
  const int64_t frames = shape.frames(batch.audio.size(1));
  return step_->Run(batch, DrawNoise(shape, options_.seed, step_->step(), begin, end - begin, frames));
}

void Trainer::Log(const StepReport& report, double seconds) {
  const auto smooth = [](double value, double* mean) { *mean += (*mean == 0 ? 1.0 : 0.02) * (value - *mean); };
  progress_.step = step_->step();
  smooth(report.loss, &progress_.loss);
  smooth(seconds, &progress_.seconds_per_step);
  sums_.loss += report.loss;
  sums_.gradient_norm += report.gradient_norm;
  seconds_ += seconds;
  ++summed_;
  if (!IsFirst()) return;
  if (progress_.step % options_.log_steps == 0) {
    const double n = static_cast<double>(summed_);
    log_->Add(progress_.step, {{"losses/total_loss", sums_.loss / n},
                               {"gradient_norm", sums_.gradient_norm / n},
                               {"learning_rate", report.learning_rate},
                               {"seconds_per_step", seconds_ / n}});
    sums_ = {};
    seconds_ = 0;
    summed_ = 0;
  }
  if (options_.held_out_steps > 0 && progress_.step % options_.held_out_steps == 0 && held_out_.audio.defined()) {
    progress_.held_out_loss = HeldOutLoss(options_.step, step_->weights(), held_out_, options_.seed);
    log_->Add(progress_.step, {{"held_out/spectral_loss", progress_.held_out_loss}});
  }
}

// A worker that is lost takes nothing along: the weights are those of the last step that all made.
absl::Status Trainer::SaveAndReturn(const absl::Status& lost) const {
  RETURN_IF_ERROR(Save());
  return lost;
}

absl::Status Trainer::Run(const std::function<TrainerVerdict(const TrainingProgress&)>& observe) {
  absl::Time saved = options_.clock->Now();
  while (step_->step() < options_.steps) {
    const absl::Time begin = options_.clock->Now();
    const absl::StatusOr<StepReport> made = Step();
    if (absl::IsUnavailable(made.status())) return SaveAndReturn(made.status());
    ASSIGN_OR_RETURN(const StepReport report, made);
    Log(report, absl::ToDoubleSeconds(options_.clock->Now() - begin));
    bool stop = observe(progress_) == TrainerVerdict::kStop;
    if (options_.group != nullptr) {
      const absl::StatusOr<bool> any = AnyWorker(*options_.group, stop);
      if (!any.ok()) return SaveAndReturn(any.status());
      stop = *any;
    }
    if (stop || options_.clock->Now() - saved >= options_.checkpoint_interval) {
      RETURN_IF_ERROR(Save());
      saved = options_.clock->Now();
    }
    if (stop) return absl::OkStatus();
  }
  return Save();
}

}  // namespace ddsp::training
