#include "core/models/trainable/inverse_synthesis.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/dsp/argument.h"
#include "core/dsp/oscillator.h"
#include "core/dsp/scaling.h"

namespace ddsp {
namespace {

using at::Tensor;

constexpr char kSynthetic[] = "synthetic/";

SinusoidSet SinusoidsOf(const NamedTensors& tensors, const std::string& amps, const std::string& freqs) {
  return {tensors.at(amps), tensors.at(freqs)};
}

SinusoidSet Detached(const SinusoidSet& set) { return {set.amps.detach(), set.freqs.detach()}; }

HarmonicControlSet HarmonicsOf(const NamedTensors& tensors) {
  return {tensors.at("harm_amp"), tensors.at("harm_dist"), tensors.at("f0_hz")};
}

// The features below "synthetic/", without it.
NamedTensors SyntheticPart(const NamedTensors& features) {
  NamedTensors part;
  for (const auto& [name, tensor] : features) {
    if (absl::StartsWith(name, kSynthetic)) part[name.substr(sizeof(kSynthetic) - 1)] = tensor;
  }
  return part;
}

absl::Status CheckKnown(const NamedTensors& known) {
  for (const char* name : {"sin_amps", "sin_freqs", "noise_magnitudes"}) RETURN_IF_ERROR(Lookup(known, name).status());
  return absl::OkStatus();
}

// The part of every output that belongs to some of the batch.
NamedTensors Rows(const NamedTensors& outputs, int64_t begin, int64_t end) {
  NamedTensors rows;
  for (const auto& [name, tensor] : outputs) {
    const bool of_batch = tensor.dim() > 0 && tensor.size(0) >= end;
    if (of_batch) rows[name] = tensor.slice(0, begin, end);
  }
  return rows;
}

}  // namespace

absl::StatusOr<Tensor> InverseSynthesis::AudioOf(const NamedTensors& controls, const ModelContext& context) const {
  ASSIGN_OR_RETURN(const NamedTensors made, parts_.processor_group->Run(controls, context));
  return Lookup(made, "out/signal");
}

absl::StatusOr<NamedTensors> InverseSynthesis::Forward(const Tensor& audio, const ModelContext& context) const {
  ASSIGN_OR_RETURN(NamedTensors controls, CatchTorch([&] {
                     NamedTensors raw = parts_.sinusoidal_encoder->Forward(audio);
                     raw["frequencies"] = parts_.freq_scale_fn(raw["frequencies"]);
                     raw["amplitudes"] = ExpSigmoid(raw["amplitudes"]);
                     raw["noise_magnitudes"] = ExpSigmoid(raw["noise_magnitudes"]);
                     return raw;
                   }));
  ASSIGN_OR_RETURN(NamedTensors outputs, parts_.processor_group->Run(controls, context));
  outputs["audio"] = audio;
  outputs["sin_audio"] = outputs["out/signal"];
  outputs["sin_amps"] = controls["amplitudes"];
  outputs["sin_freqs"] = controls["frequencies"];
  outputs["noise_magnitudes"] = controls["noise_magnitudes"];
  if (parts_.harmonic_encoder != nullptr) RETURN_IF_ERROR(AddHarmonics(context, &outputs));
  return outputs;
}

absl::Status InverseSynthesis::AddHarmonics(const ModelContext& context, NamedTensors* outputs) const {
  const auto passed_on = [&](const std::string& name) {
    const Tensor& tensor = outputs->at(name);
    return parts_.stop_gradient ? tensor.detach() : tensor;
  };
  ASSIGN_OR_RETURN(NamedTensors harmonics, CatchTorch([&] {
                     NamedTensors made =
                         parts_.harmonic_encoder->Forward(passed_on("sin_freqs"), passed_on("sin_amps"));
                     made["harm_freqs"] = GetHarmonicFrequencies(made["f0_hz"], parts_.n_harmonics);
                     made["harm_amps"] = made["harm_amp"] * made["harm_dist"];
                     return made;
                   }));
  ASSIGN_OR_RETURN(harmonics["harm_audio"], AudioOf({{"frequencies", harmonics["harm_freqs"]},
                                                     {"amplitudes", harmonics["harm_amps"]},
                                                     {"noise_magnitudes", passed_on("noise_magnitudes")}},
                                                    context));
  outputs->merge(harmonics);
  return absl::OkStatus();
}

absl::Status InverseSynthesis::AddUnsupervised(const NamedTensors& outputs, Losses* losses) const {
  const auto added = CatchTorch([&] {
    const Tensor& audio = outputs.at("audio");
    const bool harmonic = parts_.harmonic_encoder != nullptr;
    for (const AudioLoss& loss : parts_.losses) {
      (*losses)["sin_" + loss.name] = loss.loss(audio, outputs.at("sin_audio"));
      if (harmonic) (*losses)["harm_" + loss.name] = loss.loss(audio, outputs.at("harm_audio"));
    }
    const SinusoidSet sinusoids = SinusoidsOf(outputs, "sin_amps", "sin_freqs");
    if (harmonic) {
      const ControlPrior& prior = parts_.harmonic_distribution_prior;
      if (prior.loss) (*losses)[prior.name] = prior.loss(outputs.at("harm_dist"));
      for (const SinusoidLoss& loss : parts_.sinusoidal_consistency_losses) {
        (*losses)[loss.name] = loss.loss(parts_.stop_gradient ? Detached(sinusoids) : sinusoids,
                                         SinusoidsOf(outputs, "harm_amps", "harm_freqs"));
      }
    }
    if (parts_.twm) {
      (*losses)["twm_loss"] = TwmLoss(outputs.at(harmonic ? "f0_hz" : "sin_freqs"), sinusoids, *parts_.twm);
    }
    return true;
  });
  return added.status();
}

absl::Status InverseSynthesis::AddSupervised(const NamedTensors& outputs, const NamedTensors& known,
                                             Losses* losses) const {
  const bool harmonic = parts_.harmonic_encoder != nullptr;
  if (harmonic) {
    for (const char* name : {"harm_amp", "harm_dist", "f0_hz"}) RETURN_IF_ERROR(Lookup(known, name).status());
  }
  const auto added = CatchTorch([&] {
    for (const SinusoidLoss& loss : parts_.sinusoidal_consistency_losses) {
      (*losses)["ss_" + loss.name] =
          loss.loss(SinusoidsOf(outputs, "sin_amps", "sin_freqs"), SinusoidsOf(known, "sin_amps", "sin_freqs"));
    }
    if (parts_.filtered_noise_consistency) {
      (*losses)["ss_filtered_noise_consistency_loss"] =
          *parts_.filtered_noise_consistency * AmpLoss(outputs.at("noise_magnitudes"), known.at("noise_magnitudes"));
    }
    if (!harmonic) return true;
    if (parts_.harmonic_consistency) {
      const HarmonicConsistency loss =
          HarmonicConsistencyLoss(HarmonicsOf(outputs), HarmonicsOf(known), *parts_.harmonic_consistency);
      (*losses)["ss_harm_amp_loss"] = loss.amp;
      (*losses)["ss_harm_dist_loss"] = loss.dist;
      (*losses)["ss_f0_hz_loss"] = loss.f0;
    }
    for (const SinusoidLoss& loss : parts_.harmonic_consistency_losses) {
      (*losses)["ss_harm_" + loss.name] =
          loss.loss(SinusoidsOf(outputs, "harm_amp", "f0_hz"), SinusoidsOf(known, "harm_amp", "f0_hz"));
    }
    return true;
  });
  return added.status();
}

absl::StatusOr<ModelOutputs> InverseSynthesis::Run(const NamedTensors& features, const ModelContext& context) const {
  ModelOutputs result;
  NamedTensors known = SyntheticPart(features);
  const bool zipped = !known.empty(), alone = !zipped && features.contains("sin_amps");
  if (alone) known = features;
  Tensor audio, made;
  if (!alone) {
    ASSIGN_OR_RETURN(audio, Lookup(features, "audio"));
  }
  if (zipped || alone) {
    RETURN_IF_ERROR(CheckKnown(known));
    ASSIGN_OR_RETURN(made, AudioOf({{"amplitudes", known["sin_amps"]},
                                    {"frequencies", known["sin_freqs"]},
                                    {"noise_magnitudes", known["noise_magnitudes"]}},
                                   context));
  }
  const std::vector<Tensor> inputs =
      zipped ? std::vector<Tensor>{audio, made} : std::vector<Tensor>{alone ? made : audio};
  ASSIGN_OR_RETURN(const Tensor input, CatchTorch([&] { return at::cat(inputs); }));
  ASSIGN_OR_RETURN(const NamedTensors outputs, Forward(input, context));
  result.outputs = zipped ? Rows(outputs, 0, audio.size(0)) : outputs;
  if (context.losses == LossTerms::kLeaveOut) return result;
  RETURN_IF_ERROR(AddUnsupervised(result.outputs, &result.losses));
  if (alone) RETURN_IF_ERROR(AddSupervised(outputs, known, &result.losses));
  if (zipped) {
    RETURN_IF_ERROR(AddSupervised(Rows(outputs, audio.size(0), input.size(0)), known, &result.losses));
  }
  return result;
}

void InverseSynthesis::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  parts_.sinusoidal_encoder->VisitParameters(prefix + "sinusoidal_encoder/", visit);
  if (parts_.harmonic_encoder != nullptr) parts_.harmonic_encoder->VisitParameters(prefix + "harmonic_encoder/", visit);
  // The reverb is an attribute of upstream's model, too, whose path is shorter.
  parts_.processor_group->VisitParameters(prefix, visit);
}

}  // namespace ddsp
