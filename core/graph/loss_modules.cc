// Losses as nodes of a graph: a scalar below the node under the loss's own name, or several below that.
#include <functional>

#include "core/dsp/argument.h"
#include "core/graph/loss_arguments.h"
#include "core/graph/module_tables.h"
#include "core/losses/mean_difference.h"

namespace ddsp {
namespace {

using at::Tensor;
using Inputs = std::vector<Tensor>;
// Values in the order of the results.
using LossFn = std::function<std::vector<Tensor>(const Inputs&)>;

class LossModule : public GraphModule {
 public:
  LossModule(std::vector<Port> inputs, std::vector<std::string> results, LossFn loss)
      : GraphModule(ModuleKind::kLoss, std::move(inputs), std::move(results)), loss_(std::move(loss)) {}

  absl::StatusOr<NamedTensors> Run(const Inputs& inputs, const ProcessorContext&) const override {
    return CatchTorch([&] {
      Inputs all = inputs;
      all.resize(this->inputs().size());  // optional ones are undefined
      const std::vector<Tensor> values = loss_(all);
      NamedTensors named;
      for (size_t i = 0; i < values.size(); ++i) named[results()[i]] = values[i];
      return named;
    });
  }

 private:
  const LossFn loss_;
};

std::vector<Port> Ports(const std::vector<std::string>& required, const std::vector<std::string>& optional = {}) {
  std::vector<Port> ports;
  for (const std::string& name : required) ports.push_back({.name = name});
  for (const std::string& name : optional) ports.push_back({.name = name, .required = false});
  return ports;
}

LossFn MakeSpectral(ArgReader& args) {
  return [loss = SpectralLoss(ReadSpectralLoss(args))](const Inputs& in) { return Inputs{loss(in[0], in[1], in[2])}; };
}

LossFn MakeParam(ArgReader& args) {
  const double weight = args.Number("weight", 1);
  const LossType type = ReadLossType(args);
  return [=](const Inputs& in) { return Inputs{weight * MeanDifference(in[0], in[1], type, in[2])}; };
}

LossFn MakeFilteredNoise(ArgReader& args) {
  const double weight = args.Number("weight", 1);
  return [=](const Inputs& in) { return Inputs{weight * AmpLoss(in[0], in[1])}; };
}

LossFn MakeHarmonic(ArgReader& args) {
  return [options = ReadHarmonicConsistency(args)](const Inputs& in) {
    const auto loss = HarmonicConsistencyLoss({in[0], in[2], in[4]}, {in[1], in[3], in[5]}, options);
    return Inputs{loss.amp, loss.dist, loss.f0};
  };
}

LossFn MakeWasserstein(ArgReader& args) {
  const double weight = args.Number("weight", 1);
  if (!args.Flag("midi", true)) args.Reject("midi is false, of which upstream makes no loss; expected true");
  return [=](const Inputs& in) { return Inputs{WassersteinConsistencyLoss({in[0], in[1]}, {in[2], in[3]}, weight)}; };
}

LossFn MakeKde(ArgReader& args) {
  return [options = ReadKdeConsistency(args)](const Inputs& in) {
    return Inputs{KdeConsistencyLoss({in[0], in[1]}, {in[2], in[3]}, options)};
  };
}

LossFn MakeTwm(ArgReader& args) {
  return [options = ReadTwm(args)](const Inputs& in) { return Inputs{TwmLoss(in[0], {in[2], in[1]}, options)}; };
}

struct Entry {
  const char* class_name;
  std::vector<Port> ports;
  std::vector<std::string> terms;  // of a loss that is more than one scalar
  LossFn (*make)(ArgReader& args);
};

const std::vector<Entry>& Entries() {
  static const auto* const entries = new std::vector<Entry>{
      {"losses.SpectralLoss", Ports({"target_audio", "audio"}, {"weights"}), {}, MakeSpectral},
      {"losses.ParamLoss", Ports({"pred", "target"}, {"weights"}), {}, MakeParam},
      {"losses.FilteredNoiseConsistencyLoss", Ports({"magnitudes", "magnitudes_target"}), {}, MakeFilteredNoise},
      {"losses.HarmonicConsistencyLoss",
       Ports({"harm_amp", "harm_amp_target", "harm_dist", "harm_dist_target", "f0_hz", "f0_hz_target"}),
       {"harm_amp_loss", "harm_dist_loss", "f0_hz_loss"},
       MakeHarmonic},
      {"losses.WassersteinConsistencyLoss", Ports({"amps_a", "freqs_a", "amps_b", "freqs_b"}), {}, MakeWasserstein},
      {"losses.KDEConsistencyLoss", Ports({"amps_a", "freqs_a", "amps_b", "freqs_b"}), {}, MakeKde},
      {"losses.TWMLoss", Ports({"f0_candidates", "freqs", "amps"}), {}, MakeTwm},
  };
  return *entries;
}

}  // namespace

LossType ReadLossType(ArgReader& args) {
  return args.Accept(CatchTorch([&] { return ParseLossType(args.Text("loss_type", "L1")); }));
}

SpectralLossOptions ReadSpectralLoss(ArgReader& args) {
  SpectralLossOptions options;
  options.fft_sizes = args.Integers("fft_sizes", options.fft_sizes);
  if (options.fft_sizes.empty()) args.Reject("fft_sizes is empty");
  for (const int64_t size : options.fft_sizes) {
    if (size < 1) args.Reject("fft_sizes has a size below 1");
  }
  options.loss_type = ReadLossType(args);
  options.mag_weight = args.Number("mag_weight", options.mag_weight);
  options.delta_time_weight = args.Number("delta_time_weight", 0);
  options.delta_freq_weight = args.Number("delta_freq_weight", 0);
  options.cumsum_freq_weight = args.Number("cumsum_freq_weight", 0);
  options.logmag_weight = args.Number("logmag_weight", 0);
  options.loudness_weight = args.Number("loudness_weight", 0);
  return options;
}

HarmonicConsistencyOptions ReadHarmonicConsistency(ArgReader& args) {
  return {args.Number("amp_weight", 1), args.Number("dist_weight", 1), args.Number("f0_weight", 1),
          args.Number("amp_threshold", 1e-4)};
}

KdeConsistencyOptions ReadKdeConsistency(ArgReader& args) {
  return {args.Number("weight_a", 1), args.Number("weight_b", 1), args.Number("weight_mean_amp", 1),
          args.Number("scale_a", .1), args.Number("scale_b", .1)};
}

TwmOptions ReadTwm(ArgReader& args) {
  TwmOptions options;
  options.sinusoids_weight = args.Number("sinusoids_weight", options.sinusoids_weight);
  options.harmonics_weight = args.Number("harmonics_weight", options.harmonics_weight);
  options.sinusoids_scale = args.Positive("sinusoids_scale", options.sinusoids_scale);
  options.harmonics_scale = args.Positive("harmonics_scale", options.harmonics_scale);
  options.n_harmonic_points = args.Int("n_harmonic_points", options.n_harmonic_points, 1);
  options.n_harmonic_gaussians = args.Int("n_harmonic_gaussians", options.n_harmonic_gaussians, 1);
  options.softmin_temperature = args.Positive("softmin_temperature", options.softmin_temperature);
  options.sample_rate = args.Positive("sample_rate", options.sample_rate);
  return options;
}

std::unique_ptr<GraphModule> MakeLossModule(const GraphNode& node, ArgReader& args) {
  for (const Entry& entry : Entries()) {
    if (!MeansClass(node.class_name, entry.class_name)) continue;
    const std::string name = args.Text("name", DefaultModuleName(entry.class_name));
    if (name.empty()) args.Reject("name is empty");
    if (!node.outputs.empty()) args.Reject("only a layer has outputs to name");
    std::vector<std::string> results;
    for (const std::string& term : entry.terms) results.push_back(name + "/" + term);
    if (results.empty()) results = {name};
    return std::make_unique<LossModule>(entry.ports, results, entry.make(args));
  }
  return nullptr;
}

std::vector<std::string> LossClasses() {
  std::vector<std::string> classes;
  for (const Entry& entry : Entries()) classes.push_back(entry.class_name);
  return classes;
}

}  // namespace ddsp
