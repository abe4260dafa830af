#include "tests/golden/golden_model.h"

#include "core/dsp/argument.h"
#include "core/gin/reader.h"
#include "core/losses/spectral_loss.h"
#include "core/models/trainable/gin_arguments.h"
#include "core/models/trainable/gin_model.h"
#include "core/processors/processor.h"
#include "tests/golden/call.h"

namespace ddsp::golden {
namespace {

using at::Tensor;

bool IsTrue(const absl::StatusOr<gin::Value>& value) {
  const bool* flag = value.ok() ? value->As<bool>() : nullptr;
  return flag != nullptr && *flag;
}

// The terms of the loss by scale, which the model only sums.
void AddScales(const gin::Config& config, const Tensor& target, const Tensor& audio, NamedTensors* results) {
  GinProblems problems;
  GinArguments args(config, gin::Value(gin::Reference{"", "losses.SpectralLoss"}), "", &problems);
  SpectralLossOptions options = RecipeSpectralLoss();
  options.fft_sizes = args.Integers("fft_sizes", options.fft_sizes);
  const SpectralLossResult loss = SpectralLoss(options).Compute(target, audio);
  std::vector<Tensor> mag, logmag;
  for (const SpectralTerms& scale : loss.scales) {
    mag.push_back(scale.mag);
    logmag.push_back(scale.logmag);
  }
  (*results)["loss/fft_sizes"] = at::tensor(options.fft_sizes);
  (*results)["loss/per_scale_mag"] = at::stack(mag);
  (*results)["loss/per_scale_logmag"] = at::stack(logmag);
}

}  // namespace

GoldenModel::GoldenModel(const std::string& gin) : config_(Unwrap(gin::ParseConfig(gin))) {
  if (!config_.Get("Harmonic", "phase").ok() && !IsTrue(config_.Get("Harmonic", "use_angular_cumsum"))) {
    Unwrap(gin::Override({"Harmonic.phase = 'cumsum'"}, &config_));
  }
  model_ = Unwrap(ModelFromGin(config_));
}

NamedTensors GoldenModel::FeaturesOf(const NamedTensors& inputs) {
  NamedTensors features;
  for (const auto& [name, tensor] : inputs) {
    if (!name.ends_with("noise")) features[name] = tensor;
  }
  return features;
}

ModelContext GoldenModel::ContextOf(const NamedTensors& inputs) {
  ModelContext context;
  context.noise = {{"filtered_noise", Optional(inputs, "noise")}, {"reverb", Optional(inputs, "reverb_noise")}};
  return context;
}

NamedTensors GoldenModel::Run(const NamedTensors& inputs, const NamedTensors& parameters) const {
  Unwrap(UseParameters(*model_, parameters));
  const ModelOutputs made = Unwrap(model_->Run(FeaturesOf(inputs), ContextOf(inputs)));
  NamedTensors results = made.outputs;
  if (results.contains("reverb/controls/ir"))
    results["reverb/controls/ir"] = results["reverb/controls/ir"].narrow(0, 0, 1);
  for (const auto& [name, loss] : made.losses) results["loss/" + name] = loss.unsqueeze(0);
  results["loss/total_loss"] = made.TotalLoss().unsqueeze(0);
  AddScales(config_, results.at("audio"), results.at("audio_synth"), &results);
  return results;
}

}  // namespace ddsp::golden
