// trainers.*: trajectories of the optimiser, made by the trainer's own step.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/training/model_step.h"
#include "core/training/model_trainer.h"
#include "tests/golden/adapters.h"
#include "tests/golden/golden_model.h"

namespace ddsp::golden {
namespace {

using at::Tensor;

// The inputs of one step: batch and noise that the case lists for it.
NamedTensors StepInputs(Call& call, int64_t step) {
  NamedTensors inputs;
  for (const auto& [name, tensor] : call.Inputs()) {
    if (name.ends_with("_index")) continue;
    const std::string index = name.ends_with("noise") ? "noise_index" : "batch_index";
    inputs[name] = tensor[call.In(index)[step].item<int64_t>()];
  }
  return inputs;
}

void AddCopies(const std::string& prefix, const training::Parameters& tensors, NamedTensors* results) {
  for (const auto& [path, tensor] : tensors) (*results)[prefix + path] = tensor.detach().clone();
}

// The golden gradients are those before clipping.
void AddFirstGradients(const training::ModelStep& step, double clipped_by, NamedTensors* results) {
  AddCopies("grad0/", step.gradients(), results);
  for (auto& [name, gradient] : *results) gradient.mul_(std::max(1.0, clipped_by));
}

NamedTensors TrainerCase(Call& call) {
  // A training step is traced, which rounds phases otherwise than the same model does when it is called; the gradients
  // of quiet bins tell.
  const GoldenModel golden(call.Text("gin", "") + "\nHarmonic.phase = 'traced_angular_cumsum'\n");
  Unwrap(UseParameters(golden.model(), call.Params()));
  const training::ModelStepOptions options = Unwrap(training::TrainerOptionsFromGin(golden.config())).step;
  training::ModelStep step(options, &golden.model());

  NamedTensors results;
  std::vector<double> losses, norms, learning_rates;
  for (int64_t i = 0; i < call.Args().at("steps").get<int64_t>(); ++i) {
    const NamedTensors inputs = StepInputs(call, i);
    const auto report = Unwrap(step.Run(GoldenModel::FeaturesOf(inputs), GoldenModel::ContextOf(inputs)));
    if (i == 0) AddFirstGradients(step, report.gradient_norm / options.clip_norm, &results);
    losses.push_back(report.loss);
    norms.push_back(report.gradient_norm);
    learning_rates.push_back(report.learning_rate);
    AddCopies(absl::StrCat("after_", i + 1, "/"), step.weights(), &results);
  }
  results["loss"] = at::tensor(losses, at::kDouble);
  results["grad_norm"] = at::tensor(norms, at::kDouble);
  results["learning_rate"] = at::tensor(learning_rates, at::kDouble);
  return results;
}

}  // namespace

const AdapterEntry kTrainingAdapters[] = {
    {"trainers.Trainer", TrainerCase},
    {nullptr, nullptr},
};

}  // namespace ddsp::golden
