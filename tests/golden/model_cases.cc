// models.*, trainers.*: whole autoencoders and their training.
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "absl/strings/str_cat.h"
#include "tests/golden/adapters.h"
#include "tests/golden/gin_autoencoder.h"

namespace ddsp::golden {
namespace {

using at::Tensor;
using Json = nlohmann::json;

NamedTensors AutoencoderCase(Call& call) {
  const GinAutoencoder model(GinText::Parse(call.Text("gin", "")));
  call.Args();  // the files and overrides that the text was made from
  return model.Run(call.Inputs(), call.Params());
}

// Adam as Keras's, with a learning rate that decays exponentially.
class Optimizer {
 public:
  explicit Optimizer(const Json& args)
      : rate_(args.at("learning_rate")), decay_steps_(args.at("lr_decay_steps")), decay_(args.at("lr_decay_rate")) {}

  double LearningRate() const { return rate_ * std::pow(decay_, static_cast<double>(step_) / decay_steps_); }

  void Update(const NamedTensors& gradients, NamedTensors* parameters) {
    constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-7;
    const double rate = LearningRate();
    ++step_;
    const double scale = rate * std::sqrt(1 - std::pow(kBeta2, step_)) / (1 - std::pow(kBeta1, step_));
    for (const auto& [path, gradient] : gradients) {
      Tensor &m = m_[path], &v = v_[path];
      if (!m.defined()) m = at::zeros_like(gradient), v = at::zeros_like(gradient);
      m = m + (gradient - m) * (1 - kBeta1);
      v = v + (gradient.square() - v) * (1 - kBeta2);
      Tensor& parameter = parameters->at(path);
      parameter = (parameter.detach() - scale * m / (at::sqrt(v) + kEpsilon)).requires_grad_(true);
    }
  }

 private:
  const double rate_, decay_steps_, decay_;
  double step_ = 0;
  NamedTensors m_, v_;
};

NamedTensors Gradients(const Tensor& loss, const NamedTensors& parameters) {
  torch::autograd::variable_list leaves;
  for (const auto& [path, parameter] : parameters) leaves.push_back(parameter);
  const auto gradients = torch::autograd::grad({loss}, leaves);
  NamedTensors named;
  size_t i = 0;
  for (const auto& [path, parameter] : parameters) named[path] = gradients[i++];
  return named;
}

double GlobalNorm(const NamedTensors& tensors) {
  double sum = 0;
  for (const auto& [path, tensor] : tensors) sum += tensor.square().sum().item<double>();
  return std::sqrt(sum);
}

NamedTensors TrainerCase(Call& call) {
  const GinText gin = GinText::Parse(call.Text("gin", ""));
  const GinAutoencoder model(gin);
  const Json args = call.Args(), trainer = gin.ParametersOf("Trainer");
  const double clip = trainer.at("grad_clip_norm");
  Optimizer optimizer(trainer);
  NamedTensors parameters;
  for (const auto& [path, value] : call.Params()) parameters[path] = value.detach().clone().requires_grad_(true);

  NamedTensors results;
  std::vector<double> losses, norms, rates;
  for (int64_t step = 0; step < args.at("steps").get<int64_t>(); ++step) {
    NamedTensors inputs;
    for (const auto& [name, tensor] : call.Inputs()) {
      if (name.ends_with("_index")) continue;
      const std::string index = name.ends_with("noise") ? "noise_index" : "batch_index";
      inputs[name] = tensor[call.In(index)[step].item<int64_t>()];
    }
    const Tensor loss = model.Run(inputs, parameters).at("loss/total_loss");
    NamedTensors gradients = Gradients(loss, parameters);
    const double norm = GlobalNorm(gradients);
    losses.push_back(loss.item<double>());
    norms.push_back(norm);
    rates.push_back(optimizer.LearningRate());
    for (auto& [path, gradient] : gradients) {
      if (step == 0) results["grad0/" + path] = gradient;
      gradient = gradient * (clip / std::max(norm, clip));
    }
    optimizer.Update(gradients, &parameters);
    for (const auto& [path, parameter] : parameters) results[absl::StrCat("after_", step + 1, "/", path)] = parameter;
  }
  results["loss"] = at::tensor(losses, at::kDouble);
  results["grad_norm"] = at::tensor(norms, at::kDouble);
  results["learning_rate"] = at::tensor(rates, at::kDouble);
  return results;
}

}  // namespace

const AdapterEntry kModelAdapters[] = {
    {"models.Autoencoder", AutoencoderCase},
    {"trainers.Trainer", TrainerCase},
    {nullptr, nullptr},
};

}  // namespace ddsp::golden
