// trainers.*: trajectories of the optimiser, with the trainer's own parameter store, clipping, Adam and schedule.
#include "absl/strings/str_cat.h"
#include "core/training/adam.h"
#include "core/training/learning_rate.h"
#include "core/training/parameter_store.h"
#include "tests/golden/adapters.h"
#include "tests/golden/gin_autoencoder.h"

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

NamedTensors TrainerCase(Call& call) {
  // A training step is traced, which rounds phases otherwise than the same model does when it is called; the gradients
  // of quiet bins tell.
  const GinArgs gin = GinArgs::Parse(call.Text("gin", "") + "\nHarmonic.phase = 'traced_angular_cumsum'\n");
  const GinAutoencoder model(gin);
  const nlohmann::json args = call.Args(), trainer = gin.ParametersOf("Trainer");
  training::LearningRate rate;
  rate.peak = trainer.at("learning_rate");
  rate.decay_steps = trainer.at("lr_decay_steps");
  rate.decay_rate = trainer.at("lr_decay_rate");
  training::ParameterStore store(training::Parameters(call.Params().begin(), call.Params().end()));
  training::Adam adam;
  const Tensor gradients = at::zeros_like(store.flat()), rates = at::ones_like(store.flat());

  NamedTensors results;
  std::vector<double> losses, norms, learning_rates;
  for (int64_t step = 0; step < args.at("steps").get<int64_t>(); ++step) {
    Tensor collected = gradients;
    const training::Parameters leaves = store.Leaves(collected);
    const Tensor loss =
        model.Run(StepInputs(call, step), NamedTensors(leaves.begin(), leaves.end())).at("loss/total_loss");
    loss.backward();
    if (step == 0) AddCopies("grad0/", store.ViewsOf(gradients), &results);
    losses.push_back(loss.item<double>());
    norms.push_back(training::ClipNorm(trainer.at("grad_clip_norm"), gradients));
    learning_rates.push_back(rate.At(step));
    adam.Update(step, learning_rates.back(), rates, gradients, store.flat());
    AddCopies(absl::StrCat("after_", step + 1, "/"), store.views(), &results);
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
