#include "core/models/inference/vst_forms.h"

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/dsp/argument.h"
#include "core/dsp/preprocessing.h"
#include "core/processors/processor_factory.h"

namespace ddsp {
namespace {

using at::Tensor;
constexpr char kDecoder[] = "decoder/";

Tensor Scalar3d(double value) { return at::full({1, 1, 1}, value, at::kFloat); }

// Two frames of a control, [1, 2, channels].
Tensor Pair(const Tensor& previous, const Tensor& current) { return at::stack({previous, current}).unsqueeze(0); }

}  // namespace

VstFeatures VstExtractFeatures(const Tensor& audio, double f0_hz) {
  DDSP_CHECK_ARGUMENT(audio.dim() == 1 && audio.size(0) > 0, "audio has shape ", audio.sizes(), ", expected [samples]");
  const Tensor db = PowerToDb(audio.square().mean());
  const Tensor f0 = at::scalar_tensor(f0_hz, at::kFloat);
  return {f0_hz, ScaleF0Hz(f0).item<double>(), db.item<double>(), ScaleDb(db).item<double>()};
}

VstFeatures VstExtractFeatures(const Tensor& audio, const CrepeNetwork& tracker) {
  DDSP_CHECK_ARGUMENT(audio.dim() == 1, "audio has shape ", audio.sizes(), ", expected [1024]");
  const at::NoGradGuard no_grad;
  const CrepePitch pitch = CrepeDecode(tracker.Activations(CrepeNormalize(audio.unsqueeze(0))));
  return VstExtractFeatures(audio, pitch.f0_hz.item<double>());
}

absl::StatusOr<std::unique_ptr<VstPredictControls>> VstPredictControls::Create(const Options& options,
                                                                               const NamedTensors& parameters) {
  auto form = absl::WrapUnique(new VstPredictControls());
  ASSIGN_OR_RETURN(form->decoder_, RnnFcDecoder::Create(options.decoder));
  NamedTensors below;
  for (const auto& [path, value] : parameters) {
    if (absl::StartsWith(path, kDecoder)) below[path.substr(sizeof(kDecoder) - 1)] = value;
  }
  RETURN_IF_ERROR(UseParameters(*form->decoder_, below));
  ASSIGN_OR_RETURN(form->harmonic_,
                   MakeProcessor("synths.Harmonic", "harmonic", {{"sample_rate", options.sample_rate}}));
  const ConstructorArgs noise = {{"window_size", int64_t{0}}, {"initial_bias", options.noise_initial_bias}};
  ASSIGN_OR_RETURN(form->noise_, MakeProcessor("synths.FilteredNoise", "filtered_noise", noise));
  return form;
}

absl::StatusOr<VstPrediction> VstPredictControls::Predict(double f0_scaled, double pw_scaled,
                                                          const Tensor& state) const {
  const int64_t units = decoder_->options().rnn_channels;
  if (state.defined() && !(state.dim() == 1 && state.size(0) == units)) {
    return absl::InvalidArgumentError(
        absl::StrCat("state has ", state.numel(), " values in ", state.dim(), " axes, expected [", units, "]"));
  }
  const Tensor f0 = Scalar3d(f0_scaled);
  ASSIGN_OR_RETURN(const RnnFcDecoder::Output raw,
                   decoder_->Forward({{"f0_scaled", f0}, {"pw_scaled", Scalar3d(pw_scaled)}},
                                     state.defined() ? state.unsqueeze(0) : Tensor()));
  ASSIGN_OR_RETURN(const Tensor amps, Lookup(raw.controls, "amps"));
  ASSIGN_OR_RETURN(const Tensor distribution, Lookup(raw.controls, "harmonic_distribution"));
  ASSIGN_OR_RETURN(const Tensor magnitudes, Lookup(raw.controls, "noise_magnitudes"));
  ASSIGN_OR_RETURN(const NamedTensors harmonic,
                   harmonic_->GetControls(
                       {{"amplitudes", amps}, {"harmonic_distribution", distribution}, {"f0_hz", InvScaleF0Hz(f0)}}));
  ASSIGN_OR_RETURN(const NamedTensors noise, noise_->GetControls({{"magnitudes", magnitudes}}));
  return VstPrediction{{harmonic.at("amplitudes").flatten(), harmonic.at("harmonic_distribution").flatten(),
                        noise.at("magnitudes").flatten()},
                       raw.state.flatten()};
}

absl::StatusOr<std::unique_ptr<VstSynthesize>> VstSynthesize::Create(const Options& options) {
  if (options.hop_size < 4 || !(options.sample_rate > 0)) {
    return absl::InvalidArgumentError(absl::StrCat("hop_size is ", options.hop_size, ", sample_rate ",
                                                   options.sample_rate, ", expected 4 or more and more than 0"));
  }
  auto form = absl::WrapUnique(new VstSynthesize(options));
  ASSIGN_OR_RETURN(form->noise_, MakeProcessor("synths.FilteredNoise", "filtered_noise",
                                               {{"window_size", int64_t{0}}, {"n_samples", options.hop_size}}));
  return form;
}

absl::StatusOr<VstSynthesis> VstSynthesize::Synthesize(const VstFrame& previous, const VstFrame& current, double phase,
                                                       const Tensor& noise) const {
  HarmonicSynthesisOptions options;
  options.n_samples = options_.hop_size;
  options.sample_rate = options_.sample_rate;
  options.accumulation = options_.accumulation;
  options.amp_resample_method = Interpolation::kLinear;
  ASSIGN_OR_RETURN(const ContinuedAudio harmonic, CatchTorch([&] {
                     const Tensor f0 = at::tensor({previous.f0_hz, current.f0_hz}, at::kFloat).view({1, 2, 1});
                     HarmonicControls controls;
                     controls.frequencies = f0;
                     controls.amplitudes = Pair(previous.controls.amps, current.controls.amps);
                     controls.harmonic_distribution = Pair(previous.controls.hd, current.controls.hd);
                     return StreamingHarmonicSynthesis(controls, Scalar3d(phase), options);
                   }));
  ProcessorContext context;
  if (noise.defined()) context.noise = noise.unsqueeze(0);
  const Tensor magnitudes = current.controls.noise.reshape({1, 1, -1});
  ASSIGN_OR_RETURN(const Tensor hiss, noise_->GetSignal({{"magnitudes", magnitudes}}, context));
  return VstSynthesis{(harmonic.audio + hiss).flatten(), harmonic.final_phase.item<double>()};
}

}  // namespace ddsp
