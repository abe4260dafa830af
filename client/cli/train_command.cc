#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "client/cli/bundle_path.h"
#include "client/cli/command.h"
#include "client/cli/progress_bar.h"
#include "client/cli/train_from_gin.h"
#include "client/cli/train_workers.h"
#include "client/cli/training_progress.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/training/checkpoint.h"
#include "core/training/evaluation_voice.h"
#include "core/training/recipe_defaults.h"
#include "core/training/train_voice.h"

namespace ddsp::client {
namespace {

struct Options {
  training::TrainVoiceOptions train;
  TrainGinOptions gin;  // the other way, where a file is given
  std::string recipe = "vst", schedule, json, mode = "train", restore_dir;
  int64_t examples = 4, batches = 5;  // of --mode sample and eval
  std::optional<double> reverb_bias;
  std::vector<int64_t> loss_scales;  // none: the recipe's
  bool once = false;
  double checkpoint_minutes = 2;
  int threads = 0;  // 0: see Run
  bool full_precision = false;
  WorkerFlags workers;
};

// The command as it was typed, for the model card.
std::string CommandLine() {
  const absl::StatusOr<std::string> raw = ReadFile("/proc/self/cmdline");
  if (!raw.ok()) return "ddsp train";
  std::vector<std::string> words = absl::StrSplit(absl::StripSuffix(*raw, absl::string_view("\0", 1)), '\0');
  words[0] = std::filesystem::path(words[0]).filename().string();
  for (std::string& word : words) {
    if (word.find_first_of(" '\"$&;()<>|*?") != std::string::npos)
      word = absl::StrCat("'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'");
  }
  return absl::StrJoin(words, " ");
}

absl::Status NameVoice(training::TrainVoiceOptions* options) {
  training::VoiceLabel& label = options->exporting.label;
  ASSIGN_OR_RETURN(const BundlePath path, ParseBundlePath(options->bundle, label.name));
  options->bundle = path.directory;
  label.name = path.name;
  label.version = path.version;
  return absl::OkStatus();
}

// Puts the newest checkpoint of another run where a new one finds it: weights, optimiser and step go on.
absl::Status RestoreFrom(const std::string& restore_dir, const std::string& directory) {
  namespace fs = std::filesystem;
  const std::string own = directory + "/checkpoints";
  if (restore_dir.empty() || !training::LatestCheckpoint(own).empty()) return absl::OkStatus();
  for (const std::string& folder : {restore_dir + "/checkpoints", restore_dir}) {
    const fs::path newest = training::LatestCheckpoint(folder);
    if (newest.empty()) continue;
    std::error_code error;
    fs::create_directories(own, error);
    fs::copy_file(newest, fs::path(own) / newest.filename(), error);
    if (!error) return absl::OkStatus();
    return absl::InternalError(absl::StrCat("cannot copy ", newest.string(), " to ", own, ": ", error.message()));
  }
  return absl::NotFoundError(absl::StrCat("--restore-dir ", restore_dir, ": no checkpoint there"));
}

training::WatchOptions WatchOf(const Options& options) {
  return {options.once ? training::Watch::kOnce : training::Watch::kUntilStopped, WaitForProgress};
}

// Looks at the checkpoints of a run, this command's own or another's that goes on.
absl::Status LookAt(const Options& options) {
  StopTrainingOnSignals();
  training::RunViewOptions view;
  view.watch = WatchOf(options);
  view.examples = options.examples;
  view.say = [](const std::string& line) { std::cout << line << std::endl; };
  return options.mode == "eval" ? training::EvaluateRun(options.train, view) : training::SampleRun(options.train, view);
}

absl::Status Run(Options options) {
  training::TrainVoiceOptions& train = options.train;
  RETURN_IF_ERROR(NameVoice(&train));
  ASSIGN_OR_RETURN(const training::TrainerOptions recipe, training::RecipeDefaults(options.recipe));
  train.trainer.step.shape = recipe.step.shape;
  std::vector<int64_t>& scales = train.trainer.step.objective.fft_sizes;
  scales = options.loss_scales.empty() ? recipe.step.objective.fft_sizes : options.loss_scales;
  if (options.reverb_bias) train.trainer.step.shape.reverb_bias = *options.reverb_bias;
  ASSIGN_OR_RETURN(train.trainer.step.learning_rate.shape, training::ScheduleOf(options.schedule));
  train.trainer.step.learning_rate.total_steps = train.trainer.steps;
  train.trainer.checkpoint_interval = absl::Minutes(options.checkpoint_minutes);
  train.command = CommandLine();
  train.exporting.seed = train.trainer.seed;
  train.exporting.storage = options.full_precision ? WeightStorage::kFloat32 : WeightStorage::kFloat16;
  if (train.trainer.directory.empty()) train.trainer.directory = train.bundle + ".training";
  if (options.mode != "train") return LookAt(options);
  RETURN_IF_ERROR(RestoreFrom(options.restore_dir, train.trainer.directory));

  LocalWorkers locals;
  std::vector<std::string> for_locals;
  if (options.threads == 0) {
    // A worker for each core, or as many threads for each worker as there are cores to share.
    const int cores = static_cast<int>(std::thread::hardware_concurrency());
    options.threads =
        options.workers.workers == 1 ? train.trainer.step.shards : std::max(1, cores / options.workers.workers);
    for_locals = {"--threads", absl::StrCat(options.threads)};
  }
  train.trainer.step.shards = options.threads;
  ASSIGN_OR_RETURN(train.join, JoinOptionsOf(options.workers, for_locals, &locals));

  StopTrainingOnSignals();
  ProgressBar reading("reading recordings");
  training::TrainVoiceEvents events;
  if (options.workers.rank == 0) {
    events.say = [](const std::string& line) { std::cerr << line << "\n"; };
    events.reading = [&](double done) { reading.Show(done); };
    events.step = ShowProgress;
  } else {
    events.step = HeedSignals;
  }
  ASSIGN_OR_RETURN(const training::TrainVoiceResult result, TrainVoice(train, events));
  RETURN_IF_ERROR(locals.Wait());
  if (result.stopped) {
    return absl::CancelledError("stopped; a checkpoint is written, and the same command goes on from it");
  }
  if (options.workers.rank != 0) return absl::OkStatus();
  std::cout << result.evaluation.ToTable();
  if (!options.json.empty()) RETURN_IF_ERROR(WriteFileAtomically(options.json, result.evaluation.ToJson()));
  return absl::OkStatus();
}

absl::Status RunGin(Options options) {
  training::TrainModelOptions& model = options.gin.train;
  model.dataset = options.train.recordings;
  model.out = options.train.bundle;
  model.seed = options.train.trainer.seed;
  model.begin_from = options.train.trainer.begin_from;
  model.start_over = options.train.start_over;
  if (options.mode == "train") {
    RETURN_IF_ERROR(RestoreFrom(options.restore_dir, model.out));
    return TrainFromGin(options.gin, options.workers, options.threads);
  }
  StopTrainingOnSignals();
  training::ModelViewOptions view;
  view.watch = WatchOf(options);
  view.examples = options.examples;
  view.batches = options.batches;
  view.say = [](const std::string& line) { std::cout << line << std::endl; };
  return options.mode == "eval" ? EvaluateFromGin(options.gin, view) : SampleFromGin(options.gin, view);
}

}  // namespace

Action DeclareTrain(CLI::App& app) {
  auto options = std::make_shared<Options>();
  // What the recipes do not differ in; see Run for what they do.
  options->train.trainer = training::RecipeDefaults(options->recipe).value();
  options->schedule = training::NameOf(options->train.trainer.step.learning_rate.shape);
  training::TrainVoiceOptions& train = options->train;
  training::VoiceLabel& label = train.exporting.label;
  training::TrainerOptions& trainer = train.trainer;
  app.add_option("DIR", train.recordings,
                 "Folder of recordings of one instrument, or one recording, or a data set that `dataset prepare` made; "
                 "with --gin, such a data set or one of examples")
      ->required();
  app.add_option("--out", train.bundle,
                 "Folder of the new version, as in voices/violin/1; with --gin, of checkpoints and weights")
      ->required();
  CLI::Option* const gin = app.add_option("--gin,--gin_file", options->gin.file,
                                          "Train the model of this gin configuration instead of a recipe");
  AddGinOptions(app, &options->gin.gin);
  app.add_option("--synthetic", options->gin.train.synthetic,
                 "With --gin: a data set of synthetic notes, trained on beside DIR");
  app.add_option("--crepe-weights", options->gin.train.crepe_weights,
                 "With --gin: weights of CREPE (safetensors), for its embedding loss and for compute_f0 = True")
      ->needs(gin);
  app.add_option("--recipe", options->recipe, "What is trained")
      ->check(CLI::IsMember(training::RecipeNames()))
      ->capture_default_str();
  app.add_option("--held-out", train.held_out,
                 "Recordings to evaluate on, never trained on; else a part of DIR is kept back");
  app.add_option("--held-out-fraction", train.split.held_out_fraction, "The part of DIR that is kept back")
      ->check(CLI::Range(0.0, 0.5))
      ->capture_default_str();
  CLI::Option* const steps = app.add_option("--steps", trainer.steps, "Optimiser steps")
                                 ->check(CLI::Range(1, 100000000))
                                 ->capture_default_str();
  CLI::Option* const batch_size =
      app.add_option("--batch-size,--batch", trainer.batch_size, "Examples in a step (of 4 s, for a recipe)")
          ->check(CLI::Range(1, 4096))
          ->capture_default_str();
  CLI::Option* const learning_rate =
      app.add_option("--learning-rate", trainer.step.learning_rate.peak, "Largest learning rate")
          ->check(CLI::PositiveNumber)
          ->capture_default_str();
  app.add_option("--reverb-rate", trainer.step.reverb_rate, "Multiplies the learning rate of the reverb; upstream: 1")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option(
         "--reverb-bias", options->reverb_bias,
         "Where the reverb's magnitudes begin, before exp_sigmoid; -6 for vst. Upstream's is -3, from where those of "
         "dry recordings take many thousand steps to fall")
      ->check(CLI::Range(-20.0, 5.0));
  app.add_option("--augment-pitch", trainer.augmentation.pitch_semitones,
                 "Examples are played up to so many semitones higher or lower, tempo and timbre along")
      ->check(CLI::Range(0.0, 6.0));
  app.add_option("--augment-gain", trainer.augmentation.gain_db, "Examples are up to so many dB louder or softer")
      ->check(CLI::Range(0.0, 40.0));
  app.add_option("--from", trainer.begin_from, "Checkpoint whose weights a new run begins with; fresh ones by default");
  app.add_option("--schedule", options->schedule,
                 "cosine: warm up, then fall to nearly 0 at the last step; exponential: upstream's")
      ->check(CLI::IsMember(training::ScheduleNames()))
      ->capture_default_str();
  app.add_option("--loss-scales", options->loss_scales,
                 "FFT sizes of the training loss, by default the recipe's; held-out losses are of those always")
      ->delimiter(',')
      ->check(CLI::Range(16, 16384));
  app.add_option("--log-floor", trainer.step.objective.log_floor,
                 "Added to magnitudes before the loss takes their logarithm; 0 is upstream's loss")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--threads", options->threads,
                 "Threads, each with its share of the batch; 2 by default, the cores divided by --workers with these")
      ->check(CLI::Range(1, 256));
  AddWorkerOptions(app, &options->workers);
  app.add_option("--seed", trainer.seed, "Of weights, shuffle and noise")->capture_default_str();
  app.add_option("--work-dir", trainer.directory, "For data set, checkpoints and logs; OUT.training by default");
  app.add_option(
         "--mode", options->mode,
         "train; or look at the checkpoints of such a training as they come: eval measures them on what is held "
         "out (of examples, with --gin: on all of them), sample writes what they sound like")
      ->check(CLI::IsMember({"train", "eval", "sample"}))
      ->capture_default_str();
  app.add_flag("--once,--run_once", options->once, "With --mode eval or sample: the newest checkpoint alone");
  app.add_option("--examples", options->examples, "With --mode sample: sounds of a checkpoint")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--batches", options->batches, "With --mode eval and --gin: batches that are measured")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--restore-dir,--restore_dir", options->restore_dir,
                 "Folder of another run with these options, whose newest checkpoint a new run goes on from");
  CLI::Option* const early_stop =
      app.add_option("--early-stop-loss,--early_stop_loss_value", train.early_stop_loss,
                     "End, and make the voice, once the loss (a mean over steps) is this low; 0: never")
          ->check(CLI::NonNegativeNumber);
  app.add_option(
         "--patience", train.patience,
         "End after so many held-out losses that are no better than the best, whose weights the voice then has; "
         "0: never")
      ->check(CLI::NonNegativeNumber);
  CLI::Option* const log_steps =
      app.add_option("--steps-per-summary", trainer.log_steps, "Steps between lines of the log, each a mean over them")
          ->check(CLI::PositiveNumber)
          ->capture_default_str();
  app.add_option("--held-out-steps", trainer.held_out_steps, "Steps between held-out losses; 0: none")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--example-steps", train.example_steps, "Steps between listening examples; 0: none")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--keep", trainer.checkpoints_to_keep, "Checkpoints that are kept")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--checkpoint-minutes", options->checkpoint_minutes, "Time between checkpoints")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--start-over", train.start_over, "Forget the checkpoints in the work directory");
  app.add_flag("--float32", options->full_precision, "Store weights in 32 bits instead of 16");
  app.add_option("--name", label.name, "Of the voice; OUT's parent folder by default");
  app.add_option("--description", label.description, "One line about the voice");
  app.add_option("--licence", label.licence, "What the recordings allow");
  app.add_option("--attribution", label.attribution, "Whom the recordings are owed to");
  app.add_option("--json", options->json, "Also write the evaluation there");
  return [=] {
    if (options->gin.file.empty()) return Run(*options);
    training::TrainModelOptions& model = options->gin.train;
    // Where the command says nothing the configuration does.
    if (steps->count() > 0) model.steps = options->train.trainer.steps;
    if (batch_size->count() > 0) model.batch_size = options->train.trainer.batch_size;
    if (learning_rate->count() > 0) model.learning_rate = options->train.trainer.step.learning_rate.peak;
    if (early_stop->count() > 0) model.early_stop_loss = options->train.early_stop_loss;
    if (log_steps->count() > 0) model.log_steps = options->train.trainer.log_steps;
    return RunGin(*options);
  };
}

}  // namespace ddsp::client
