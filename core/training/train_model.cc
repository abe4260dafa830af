#include "core/training/train_model.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/file.h"
#include "core/base/safetensors.h"
#include "core/base/status_macros.h"
#include "core/dsp/crepe_network.h"
#include "core/gin/printer.h"
#include "core/gin/reader.h"
#include "core/models/trainable/gin_model.h"
#include "core/training/seed.h"

namespace ddsp::training {
namespace {

namespace fs = std::filesystem;

// A run that has another number of steps may go on.
std::string Describe(const TrainModelOptions& options, int64_t batch_size) {
  return absl::StrCat("data ", options.dataset, options.synthetic.empty() ? "" : " beside ", options.synthetic,
                      options.crepe_weights.empty() ? "" : " crepe ", options.crepe_weights, " batch ", batch_size,
                      "\n", gin::Print(options.config));
}

// A set of examples to be trained on, and another beside it.
struct Material {
  std::unique_ptr<ModelData> examples, synthetic;  // no synthetic: null

  std::unique_ptr<BatchSource> Batches(int64_t batch_size, uint64_t seed) const {
    std::unique_ptr<BatchSource> batches = BatchesOfExamples(*examples, batch_size, seed);
    if (synthetic == nullptr) return batches;
    return ZippedBatches(std::move(batches),
                         BatchesOfExamples(*synthetic, batch_size, DeriveSeed(seed, "synthetic", 0)));
  }
  std::string Describe() const {
    return absl::StrCat(examples->Describe(), synthetic == nullptr ? "" : "\nbeside " + synthetic->Describe());
  }
};

absl::StatusOr<Material> OpenMaterial(const TrainModelOptions& options) {
  Material material;
  ASSIGN_OR_RETURN(material.examples, OpenModelData(options.dataset, DataPart::kTraining));
  if (options.synthetic.empty()) return material;
  ASSIGN_OR_RETURN(material.synthetic, OpenModelData(options.synthetic, DataPart::kTraining));
  return material;
}

// Null for one worker. Places of files may differ between machines, what is in them not.
absl::StatusOr<std::unique_ptr<WorkerGroup>> Join(const TrainModelOptions& options, const gin::Config& config,
                                                  const Material& material) {
  std::unique_ptr<WorkerGroup> group;
  if (options.join.workers == 1) return group;
  ASSIGN_OR_RETURN(group, JoinWorkers(options.join));
  RETURN_IF_ERROR(CheckSame(*group, "configuration", gin::Print(config)));
  RETURN_IF_ERROR(CheckSame(*group, "data set", material.Describe()));
  return group;
}

absl::Status PrepareFolder(const TrainModelOptions& options, const gin::Config& operative) {
  std::error_code error;
  fs::create_directories(options.out, error);
  if (options.start_over) {
    fs::remove_all(options.out + "/checkpoints", error);
    fs::remove(options.out + "/metrics.jsonl", error);
  }
  if (error) return absl::InternalError(absl::StrCat(options.out, ": ", error.message()));
  return WriteFileAtomically(options.out + "/operative_config.gin", gin::Print(operative));
}

// With all that `ddsp import safetensors` asks for to make a voice of them.
absl::Status WriteWeights(const std::string& path, const Parameters& weights, const gin::Config& config) {
  SafetensorsWriter writer;
  AddTensors(NamedTensors(weights.begin(), weights.end()), &writer);
  writer.SetMetadata("gin", gin::Print(config));
  writer.SetMetadata("loudness_definition", "mean_of_power");  // as core/dsp measures it
  return writer.Write(path);
}

}  // namespace

absl::StatusOr<gin::Config> OperativeConfig(const TrainModelOptions& options) {
  gin::Config config = options.config;
  std::vector<std::string> bindings;
  if (options.steps) bindings.push_back(absl::StrCat("train.num_steps = ", *options.steps));
  if (options.early_stop_loss) {
    bindings.push_back(absl::StrFormat("train.early_stop_loss_value = %.9e", *options.early_stop_loss));
  }
  if (options.batch_size) bindings.push_back(absl::StrCat("train.batch_size = ", *options.batch_size));
  if (options.learning_rate) {
    bindings.push_back(absl::StrFormat("Trainer.learning_rate = %.9e", *options.learning_rate));
  }
  RETURN_IF_ERROR(gin::Override(bindings, &config));
  return config;
}

absl::StatusOr<int64_t> BatchSizeOf(const gin::Config& config) {
  const absl::StatusOr<gin::Value> value = config.Get("train", "batch_size");
  if (absl::IsNotFound(value.status())) return 32;  // upstream's default
  RETURN_IF_ERROR(value.status());
  const auto* size = value->As<int64_t>();
  if (size != nullptr && *size >= 1) return *size;
  return gin::ErrorAt(value->position(),
                      absl::StrCat("train.batch_size is ", value->Describe(), ", expected 1 or more"));
}

absl::StatusOr<std::unique_ptr<TrainableModel>> MakeModel(const TrainModelOptions& options, const gin::Config& config) {
  GinModelOptions of_model;
  of_model.generator = at::detail::createCPUGenerator(DeriveSeed(options.seed, "weights", 0));
  if (!options.crepe_weights.empty()) {
    ASSIGN_OR_RETURN(of_model.crepe, CrepeNetwork::Read(options.crepe_weights));
  }
  return ModelFromGin(config, of_model);
}

absl::StatusOr<TrainModelResult> TrainModel(const TrainModelOptions& options, const TrainModelEvents& events) {
  if (options.threads > 0) at::set_num_threads(options.threads);
  ASSIGN_OR_RETURN(const gin::Config config, OperativeConfig(options));
  ASSIGN_OR_RETURN(ModelTrainerOptions run, TrainerOptionsFromGin(config));
  ASSIGN_OR_RETURN(const int64_t batch_size, BatchSizeOf(config));
  ASSIGN_OR_RETURN(const std::unique_ptr<TrainableModel> model, MakeModel(options, config));
  ASSIGN_OR_RETURN(const Material material, OpenMaterial(options));
  const std::unique_ptr<BatchSource> batches = material.Batches(batch_size, options.seed);
  ASSIGN_OR_RETURN(const std::unique_ptr<WorkerGroup> group, Join(options, config, material));
  const bool first = options.join.rank == 0;
  run.seed = options.seed;
  run.directory = options.out;
  run.begin_from = options.begin_from;
  if (options.log_steps) run.log_steps = *options.log_steps;
  run.description = Describe(options, batch_size);
  run.group = group.get();
  if (first) RETURN_IF_ERROR(PrepareFolder(options, config));
  ASSIGN_OR_RETURN(const std::unique_ptr<ModelTrainer> trainer, ModelTrainer::Create(run, *batches, model.get()));
  events.say(absl::StrFormat(
      "%d weights, %d examples%s", CountParameters(*model), material.examples->size(),
      trainer->model().step() > 0 ? absl::StrCat("; going on from step ", trainer->model().step()) : ""));
  TrainModelResult result;
  RETURN_IF_ERROR(trainer->Run(events.step));
  result.loss = trainer->progress().loss;
  result.step = trainer->model().step();
  result.stopped = !trainer->stopped_early() && result.step < run.steps;
  if (trainer->stopped_early()) events.say(absl::StrFormat("stopped early: the loss is %.3f", result.loss));
  if (first) RETURN_IF_ERROR(WriteWeights(options.out + "/weights.safetensors", trainer->model().weights(), config));
  return result;
}

}  // namespace ddsp::training
