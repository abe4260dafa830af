#include "core/training/model_trainer.h"

#include <ATen/CPUGeneratorImpl.h>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/models/trainable/gin_arguments.h"
#include "core/training/checkpoint.h"
#include "core/training/seed.h"

namespace ddsp::training {
namespace {

ParameterShapeMap ShapesOf(const Parameters& parameters) {
  ParameterShapeMap shapes;
  for (const auto& [name, value] : parameters) shapes[name] = value.sizes().vec();
  return shapes;
}

std::string CheckpointFolder(const ModelTrainerOptions& options) { return options.directory + "/checkpoints"; }

}  // namespace

std::string ModelTrainerOptions::Describe() const {
  const LearningRate& rate = step.learning_rate;
  return absl::StrCat("rate ", rate.shape == LearningRate::Shape::kExponential ? "exponential" : "cosine", " ",
                      rate.peak, " decay ", rate.decay_rate, "/", rate.decay_steps, " clip ", step.clip_norm, " seed ",
                      seed, begin_from.empty() ? "" : " from ", begin_from, "\n", description);
}

absl::StatusOr<ModelTrainerOptions> TrainerOptionsFromGin(const gin::Config& config) {
  ModelTrainerOptions options;
  GinProblems problems;
  GinArguments trainer(config, gin::Value(gin::Reference{"", "trainers.Trainer"}), "", &problems);
  GinArguments train(config, gin::Value(gin::Reference{"", "train_util.train"}), "", &problems);
  options.step.learning_rate.peak = trainer.Number("learning_rate", 0.001);
  options.step.learning_rate.decay_steps = trainer.Number("lr_decay_steps", 10000);
  options.step.learning_rate.decay_rate = trainer.Number("lr_decay_rate", 0.98);
  options.step.clip_norm = trainer.Number("grad_clip_norm", 3.0);
  options.checkpoints_to_keep = static_cast<int>(trainer.Int("checkpoints_to_keep", 100, 1));
  options.steps = train.Int("num_steps", 1000000, 1);
  options.steps_per_save = train.Int("steps_per_save", 300, 1);
  options.early_stop_loss = train.Number("early_stop_loss_value", 0);
  RETURN_IF_ERROR(problems.Finish());
  return options;
}

ModelTrainer::ModelTrainer(const ModelTrainerOptions& options, const BatchSource& batches, TrainableModel* model)
    : options_(options), batches_(batches), step_(options.step, model, options.group) {
  progress_.steps = options.steps;
}

absl::StatusOr<std::unique_ptr<ModelTrainer>> ModelTrainer::Create(const ModelTrainerOptions& options,
                                                                   const BatchSource& batches, TrainableModel* model) {
  std::unique_ptr<ModelTrainer> trainer(new ModelTrainer(options, batches, model));
  RETURN_IF_ERROR(trainer->Begin());
  return trainer;
}

absl::Status ModelTrainer::Begin() {
  if (options_.group != nullptr) {
    // Without the description, which names places of this machine.
    ModelTrainerOptions same = options_;
    same.description.clear();
    RETURN_IF_ERROR(
        CheckSame(*options_.group, "set of options", absl::StrCat(same.Describe(), " steps ", options_.steps)));
  }
  if (IsFirst()) {
    RETURN_IF_ERROR(Resume());
    ASSIGN_OR_RETURN(log_, MetricsLog::Open(options_.directory, step_.step()));
  }
  if (options_.group == nullptr) return absl::OkStatus();
  RETURN_IF_ERROR(step_.CopyFromFirst());
  const at::Tensor loss = at::full({1}, progress_.loss, at::kDouble);
  RETURN_IF_ERROR(options_.group->CopyFromFirst(loss));
  progress_.loss = loss.item<double>();
  progress_.step = step_.step();
  return absl::OkStatus();
}

absl::Status ModelTrainer::Resume() {
  const ParameterShapeMap shapes = ShapesOf(step_.weights());
  absl::StatusOr<Checkpoint> checkpoint = ReadLatestCheckpoint(CheckpointFolder(options_), shapes);
  if (absl::IsNotFound(checkpoint.status())) {
    if (options_.begin_from.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const Checkpoint begin, ReadCheckpoint(options_.begin_from, shapes));
    for (const auto& [name, view] : step_.weights()) view.copy_(begin.weights.at(name));
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(checkpoint.status());
  if (checkpoint->run_options != options_.Describe()) {
    return absl::FailedPreconditionError(
        absl::StrCat(options_.directory, " holds a run with other options: begin anew or give its options.\nthere: ",
                     checkpoint->run_options, "\nhere:  ", options_.Describe()));
  }
  step_.Restore(checkpoint->step, checkpoint->weights, checkpoint->first_moments, checkpoint->second_moments);
  progress_.step = checkpoint->step;
  progress_.loss = checkpoint->smoothed_loss;
  return absl::OkStatus();
}

absl::Status ModelTrainer::Save() const {
  if (!IsFirst()) return absl::OkStatus();
  return WriteCheckpoint(CheckpointFolder(options_),
                         {step_.step(), options_.seed, options_.Describe(), step_.weights(), step_.first_moments(),
                          step_.second_moments(), progress_.loss},
                         options_.checkpoints_to_keep);
}

bool ModelTrainer::stopped_early() const {
  return options_.early_stop_loss > 0 && progress_.loss != 0 && progress_.loss <= options_.early_stop_loss;
}

void ModelTrainer::Log(const ModelStepReport& report, double seconds) {
  const auto smooth = [](double value, double* mean) { *mean += (*mean == 0 ? 1.0 : 0.02) * (value - *mean); };
  progress_.step = step_.step();
  smooth(report.loss, &progress_.loss);
  smooth(seconds, &progress_.seconds_per_step);
  for (const auto& [name, loss] : report.losses) sums_["losses/" + name] += loss;
  sums_["losses/total_loss"] += report.loss;
  sums_["gradient_norm"] += report.gradient_norm;
  sums_["learning_rate"] += report.learning_rate;
  sums_["seconds_per_step"] += seconds;
  ++summed_;
  if (!IsFirst() || progress_.step % options_.log_steps != 0) return;
  Scalars scalars(sums_.begin(), sums_.end());
  for (auto& [name, sum] : scalars) sum /= static_cast<double>(summed_);
  log_->Add(progress_.step, scalars);
  sums_.clear();
  summed_ = 0;
}

// This worker's part of the batch, and of what is drawn for it.
absl::StatusOr<ModelStepReport> ModelTrainer::Step() {
  ASSIGN_OR_RETURN(NamedTensors batch, batches_.Batch(step_.step()));
  ModelContext context;
  context.generator = at::detail::createCPUGenerator(DeriveSeed(options_.seed, "model noise", step_.step()));
  if (options_.group != nullptr && !batch.empty()) {
    const int64_t rank = options_.group->rank(), workers = options_.group->workers();
    const int64_t size = batch.begin()->second.size(0);
    if (workers > size) {
      return absl::InvalidArgumentError(
          absl::StrCat(workers, " workers share a batch of ", size, ": each needs an example"));
    }
    const int64_t begin = size * rank / workers, end = size * (rank + 1) / workers;
    for (auto& [name, values] : batch) values = values.narrow(0, begin, end - begin);
    context.part = {begin, size};
  }
  return step_.Run(batch, context);
}

absl::Status ModelTrainer::Run(const std::function<TrainerVerdict(const TrainingProgress&)>& observe) {
  // A run that had learned enough when it was interrupted learns no more.
  while (step_.step() < options_.steps && !stopped_early()) {
    const absl::Time begin = options_.clock->Now();
    const absl::StatusOr<ModelStepReport> made = Step();
    // A worker that is lost takes nothing along: the weights are those of the last step that all made.
    if (absl::IsUnavailable(made.status())) RETURN_IF_ERROR(Save());
    ASSIGN_OR_RETURN(const ModelStepReport report, made);
    Log(report, absl::ToDoubleSeconds(options_.clock->Now() - begin));
    bool stop = observe(progress_) == TrainerVerdict::kStop;
    if (options_.group != nullptr) {
      const absl::StatusOr<bool> any = AnyWorker(*options_.group, stop);
      if (!any.ok()) RETURN_IF_ERROR(Save());
      ASSIGN_OR_RETURN(stop, any);
    }
    if (stop) break;
    if (step_.step() % options_.steps_per_save == 0 && step_.step() < options_.steps) RETURN_IF_ERROR(Save());
  }
  return Save();
}

}  // namespace ddsp::training
