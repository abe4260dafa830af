// losses.*
#include "core/dsp/spectrogram.h"
#include "core/losses/consistency.h"
#include "core/losses/crepe_embedding_loss.h"
#include "core/losses/hmm_transcriber.h"
#include "core/losses/loss_group.h"
#include "core/losses/mean_difference.h"
#include "core/losses/spectral_loss.h"
#include "tests/golden/adapters.h"

namespace ddsp::golden {
namespace {

using at::Tensor;

using Json = nlohmann::json;

// COSINE is documented upstream but fails there: to a caller of upstream's form it is no loss type.
LossType LossTypeOf(Call& call, const std::string& fallback) {
  const LossType type = ParseLossType(call.Text("loss_type", fallback));
  if (type == LossType::kCosine) throw Rejected("loss_type is 'COSINE', which upstream does not accept");
  return type;
}

// Losses that take (target, prediction) alone.
std::function<Tensor(const std::vector<Tensor>&)> LossFrom(const Json& module) {
  const Json args = module.value("args", Json::object());
  if (module.at("class") == "losses.SpectralLoss") {
    SpectralLossOptions options;
    options.fft_sizes = args.value("fft_sizes", options.fft_sizes);
    const auto loss = std::make_shared<SpectralLoss>(options);
    return [loss](const std::vector<Tensor>& x) { return (*loss)(x[0], x[1]); };
  }
  if (module.at("class") != "losses.ParamLoss") throw Unsupported(module.at("class").get<std::string>());
  return [weight = args.value("weight", 1.0)](const std::vector<Tensor>& x) {
    return weight * MeanDifference(x[1], x[0]);
  };
}

NamedTensors LossGroupCase(Call& call) {
  std::vector<LossGroup::Node> nodes;
  for (const Json& entry : call.Raw("dag")) {
    const std::string name = entry.at(0);
    nodes.push_back({name, entry.at(1), LossFrom(call.Raw("modules").at(name))});
  }
  return Unwrap(Unwrap(LossGroup::Create(std::move(nodes))).Compute(call.Inputs()));
}

// There are no weights of CREPE here: what is tested is which layers there are.
NamedTensors CrepeEmbeddingCase(Call& call) {
  return Out(at::scalar_tensor(CrepeActivationScale(call.Text("activation_layer", "classifier"))));
}

NamedTensors SpectralLossCase(Call& call) {
  SpectralLossOptions options;
  if (call.Has("fft_sizes")) options.fft_sizes = call.Raw("fft_sizes").get<std::vector<int64_t>>();
  options.loss_type = LossTypeOf(call, "L1");
  options.mag_weight = call.Number("mag_weight", 1);
  options.delta_time_weight = call.Number("delta_time_weight", 0);
  options.delta_freq_weight = call.Number("delta_freq_weight", 0);
  options.cumsum_freq_weight = call.Number("cumsum_freq_weight", 0);
  options.logmag_weight = call.Number("logmag_weight", 0);
  options.loudness_weight = call.Number("loudness_weight", 0);
  return Out(SpectralLoss(options)(call.In("target_audio"), call.In("audio"), call.OptionalIn("weights")));
}

NamedTensors MeanDifferenceCase(Call& call) {
  return Out(MeanDifference(call.In("target"), call.In("value"), LossTypeOf(call, "L1"), call.OptionalIn("weights")));
}

NamedTensors AmpLossCase(Call& call) {
  const Tensor amp = call.In("amp"), target = call.In("amp_target"), weights = call.OptionalIn("weights");
  const LossType type = LossTypeOf(call, "L1");
  if (!call.Flag("log", false)) return Out(AmpLoss(amp, target, type, weights));
  return Out(LogAmpLoss(amp, target, type, weights, call.Number("amin", 1e-5)));
}

NamedTensors ParamLossCase(Call& call) {
  const LossType type = LossTypeOf(call, "L1");
  return Out(call.Number("weight", 1) *
             MeanDifference(call.In("pred"), call.In("target"), type, call.OptionalIn("weights")));
}

NamedTensors HarmonicConsistencyCase(Call& call) {
  const HarmonicConsistencyOptions options = {call.Number("amp_weight", 1), call.Number("dist_weight", 1),
                                              call.Number("f0_weight", 1), call.Number("amp_threshold", 1e-4)};
  const auto loss = HarmonicConsistencyLoss(
      {call.In("harm_amp"), call.In("harm_dist"), call.In("f0_hz")},
      {call.In("harm_amp_target"), call.In("harm_dist_target"), call.In("f0_hz_target")}, options);
  return {{"harm_amp_loss", loss.amp}, {"harm_dist_loss", loss.dist}, {"f0_hz_loss", loss.f0}};
}

NamedTensors WassersteinCase(Call& call) {
  return Out(WassersteinDistance({call.In("u_values"), call.In("u_weights")},
                                 {call.In("v_values"), call.In("v_weights")}, call.Number("p", 1),
                                 SampleWeights::kAsGiven));
}

NamedTensors KdeCase(Call& call) {
  const KdeConsistencyOptions options = {call.Number("weight_a", 1), call.Number("weight_b", 1),
                                         call.Number("weight_mean_amp", 1), call.Number("scale_a", .1),
                                         call.Number("scale_b", .1)};
  return Out(
      KdeConsistencyLoss({call.In("amps_a"), call.In("freqs_a")}, {call.In("amps_b"), call.In("freqs_b")}, options));
}

TwmOptions TwmOptionsOf(Call& call) {
  TwmOptions options;
  options.sinusoids_weight = call.Number("sinusoids_weight", 1);
  options.harmonics_weight = call.Number("harmonics_weight", 1);
  options.sinusoids_scale = call.Number("sinusoids_scale", .5);
  options.harmonics_scale = call.Number("harmonics_scale", .2);
  options.n_harmonic_points = call.Int("n_harmonic_points", 10);
  options.n_harmonic_gaussians = call.Int("n_harmonic_gaussians", 30);
  options.softmin_temperature = call.Number("softmin_temperature", 1);
  options.sample_rate = call.Number("sample_rate", 16000);
  return options;
}

SinusoidSet SinusoidsOf(Call& call) { return {call.In("amps"), call.In("freqs")}; }

NamedTensors TwmTensorsCase(Call& call) {
  const auto tensors = TwmLossTensors(call.In("f0_candidates"), SinusoidsOf(call), TwmOptionsOf(call));
  return {{"sinusoids_loss", tensors.sinusoids_loss}, {"harmonics_loss", tensors.harmonics_loss}};
}

HmmTranscriber TranscriberOf(Call& call) {
  call.Int("n_timesteps", 1000);  // ours takes any number
  HmmTranscriber::Options options;
  options.avg_length = call.Number("avg_length", 200);
  options.n_pitches = call.Int("n_pitches", 128);
  return HmmTranscriber(options);
}

NamedTensors EmbeddingCase(Call& call) {
  const std::string model = call.Text("pretrained_model_fn", "");
  if (model != "spectral_ops.compute_logmag") throw Unsupported("pretrained_model_fn " + model);
  const LossType type = LossTypeOf(call, "L1");
  return Out(EmbeddingLoss([](const Tensor& audio) { return ComputeLogmag(audio); }, call.In("target_audio"),
                           call.In("audio"), call.Number("weight", 1), type));
}

}  // namespace

const AdapterEntry kLossAdapters[] = {
    {"losses.SpectralLoss", SpectralLossCase},
    {"losses.mean_difference", MeanDifferenceCase},
    {"losses.amp_loss", AmpLossCase},
    {"losses.freq_loss",
     [](Call& c) {
       const LossType type = LossTypeOf(c, "L1");
       return Out(FreqLoss(c.In("f_hz"), c.In("f_hz_target"), type, c.OptionalIn("weights")));
     }},
    {"losses.ParamLoss", ParamLossCase},
    {"losses.EmbeddingLoss", EmbeddingCase},
    {"losses.PretrainedCREPEEmbeddingLoss", CrepeEmbeddingCase},
    {"losses.LossGroup", LossGroupCase},
    {"losses.FilteredNoiseConsistencyLoss",
     [](Call& c) {
       return Out(c.Number("weight", 1) * AmpLoss(c.In("noise_magnitudes"), c.In("noise_magnitudes_target")));
     }},
    {"losses.HarmonicConsistencyLoss", HarmonicConsistencyCase},
    {"losses.wasserstein_distance", WassersteinCase},
    {"losses.KDEConsistencyLoss", KdeCase},
    {"losses.TWMLoss", [](Call& c) { return Out(TwmLoss(c.In("f0_candidates"), SinusoidsOf(c), TwmOptionsOf(c))); }},
    {"losses.TWMLoss.get_loss_tensors", TwmTensorsCase},
    {"losses.TWMLoss.predict_f0",
     [](Call& c) { return Out(TwmPredictF0(c.In("f0_candidates"), SinusoidsOf(c), TwmOptionsOf(c))); }},
    {"losses.HmmTranscriber.nll", [](Call& c) { return Out(TranscriberOf(c).Nll(c.In("pitch"), c.In("amps"))); }},
    {"losses.HmmTranscriber.predict_midi",
     [](Call& c) { return Out(TranscriberOf(c).PredictMidi(c.In("pitch"), c.In("amps"))); }},
    {nullptr, nullptr},
};

}  // namespace ddsp::golden
