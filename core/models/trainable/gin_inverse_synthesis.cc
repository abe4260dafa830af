// InverseSynthesis from a gin configuration.
#include "absl/strings/str_cat.h"
#include "core/dsp/scaling.h"
#include "core/graph/loss_arguments.h"
#include "core/models/trainable/gin_layer.h"
#include "core/models/trainable/inverse_synthesis.h"

namespace ddsp {
namespace {

using at::Tensor;

// How many raw channels make one frequency, and what makes it.
struct FrequencyScaling {
  int64_t depth = 64;
  std::function<Tensor(const Tensor&)> apply;
};

FrequencyScaling ReadFrequencyScale(GinArguments& args) {
  std::optional<GinArguments> given = args.Child("freq_scale_fn");
  // The default is not affected by the configuration's depth: upstream fixes it.
  if (!given) return {64, [](const Tensor& raw) { return FrequenciesSoftmax(raw, {64, 20.0, 8000.0}); }};
  const bool softmax = given->class_name() == "core.frequencies_softmax";
  if (!softmax && given->class_name() != "core.frequencies_sigmoid") {
    if (!given->class_name().empty()) given->Reject(absl::StrCat(given->class_name(), " makes no frequencies here"));
    return {};
  }
  const FrequencyScaleOptions options = {given->Int("depth", 1, 1), given->Number("hz_min", softmax ? 20 : 0),
                                         given->Number("hz_max", 8000)};
  given->Finish();
  return {options.depth, [=](const Tensor& raw) {
            return softmax ? FrequenciesSoftmax(raw, options) : FrequenciesSigmoid(raw, options);
          }};
}

TwmOptions TwmFromGin(GinArguments& args) {
  if (args.class_name() != "losses.TWMLoss") args.Reject(absl::StrCat(args.class_name(), " is no two-way mismatch"));
  TwmOptions options;
  ReadAsGraph(args, [&](ArgReader& reader) { options = ReadTwm(reader); });
  return options;
}

void ReadHarmonicLosses(GinArguments& args, InverseSynthesis::Parts* parts) {
  for (GinArguments& loss : args.Children("harmonic_consistency_losses")) {
    if (loss.class_name() != "losses.HarmonicConsistencyLoss") {
      SinusoidLoss other = SinusoidLossFromGin(loss);
      if (other.loss) parts->harmonic_consistency_losses.push_back(std::move(other));
      continue;
    }
    ReadAsGraph(loss, [&](ArgReader& reader) { parts->harmonic_consistency = ReadHarmonicConsistency(reader); });
  }
}

void ReadLosses(GinArguments& args, InverseSynthesis::Parts* parts) {
  parts->losses = AudioLossesFromGin(args, "losses");
  for (GinArguments& child : args.Children("sinusoidal_consistency_losses")) {
    SinusoidLoss loss = SinusoidLossFromGin(child);
    if (loss.loss) parts->sinusoidal_consistency_losses.push_back(std::move(loss));
  }
  ReadHarmonicLosses(args, parts);
  if (std::optional<GinArguments> noise = args.Child("filtered_noise_consistency_loss")) {
    if (noise->class_name() != "losses.FilteredNoiseConsistencyLoss")
      noise->Reject("expected FilteredNoiseConsistencyLoss");
    parts->filtered_noise_consistency = noise->Number("weight", 1);
    noise->Finish();
  }
  if (std::optional<GinArguments> twm = args.Child("twm_loss")) parts->twm = TwmFromGin(*twm);
}

void ReadHarmonicEncoder(GinArguments& args, int64_t sinusoids, InverseSynthesis::Parts* parts) {
  std::optional<GinArguments> encoder = args.Child("harmonic_encoder");
  if (!encoder) return;
  if (encoder->class_name() != "encoders.SinusoidalToHarmonicEncoder") {
    return encoder->Reject(absl::StrCat(encoder->class_name(), " is no harmonic encoder"));
  }
  SinusoidalToHarmonicEncoder::Options options;
  if (!ReadAsGraph(*encoder, [&](ArgReader& reader) { options = ReadSinusoidalToHarmonic(reader); })) return;
  options.net.in = 2 * sinusoids;
  parts->n_harmonics = options.n_harmonics;
  parts->harmonic_encoder = std::make_unique<SinusoidalToHarmonicEncoder>(options);
}

std::unique_ptr<TrainableGroup> ReadGroup(GinArguments& args) {
  const int64_t n_samples = args.Int("n_samples", 64000, 1), sample_rate = args.Int("sample_rate", 16000, 1);
  FixedGroup group;
  group.dag =
      "[(@synths.Sinusoidal(), ['amplitudes', 'frequencies']), (@synths.FilteredNoise(), ['noise_magnitudes']), "
      "(@processors.Add(), ['filtered_noise/signal', 'sinusoidal/signal'])";
  group.bindings = {
      absl::StrCat("Sinusoidal.n_samples = ", n_samples),
      absl::StrCat("Sinusoidal.sample_rate = ", sample_rate),
      "Sinusoidal.amp_scale_fn = None",
      "Sinusoidal.freq_scale_fn = None",
      "Sinusoidal.name = 'sinusoidal'",
      absl::StrCat("FilteredNoise.n_samples = ", n_samples),
      "FilteredNoise.window_size = 0",
      "FilteredNoise.scale_fn = None",
      "FilteredNoise.name = 'filtered_noise'",
      "processors.Add.name = 'add'",
  };
  if (args.Flag("reverb", true)) {
    absl::StrAppend(&group.dag, ", (@effects.FilteredNoiseReverb(), ['add/signal'])");
    group.bindings.insert(
        group.bindings.end(),
        {absl::StrCat("FilteredNoiseReverb.reverb_length = ", 2 * sample_rate), "FilteredNoiseReverb.window_size = 257",
         "FilteredNoiseReverb.n_frames = 500", "FilteredNoiseReverb.n_filter_banks = 16",
         "FilteredNoiseReverb.trainable = True", "FilteredNoiseReverb.name = 'reverb'"});
  }
  group.dag += "]";
  return TrainableGroupFromGin(args, group);
}

}  // namespace

std::unique_ptr<TrainableModel> InverseSynthesisFromGin(GinArguments& args) {
  InverseSynthesis::Parts parts;
  const FrequencyScaling scaling = ReadFrequencyScale(args);
  parts.freq_scale_fn = scaling.apply;
  int64_t sinusoids = 0;
  if (std::optional<GinArguments> encoder = args.Child("sinusoidal_encoder")) {
    parts.sinusoidal_encoder = SinusoidalEncoderFromGin(*encoder);
    if (parts.sinusoidal_encoder != nullptr) {
      sinusoids = parts.sinusoidal_encoder->ChannelsOf("amplitudes");
      const int64_t frequencies = parts.sinusoidal_encoder->ChannelsOf("frequencies");
      if (sinusoids == 0 || frequencies != sinusoids * scaling.depth ||
          parts.sinusoidal_encoder->ChannelsOf("noise_magnitudes") == 0) {
        encoder->Reject("output_splits", absl::StrCat("need amplitudes, ", scaling.depth,
                                                      " times as many frequencies, and noise_magnitudes"));
      }
    }
  } else {
    args.Reject("sinusoidal_encoder", "is missing");
  }
  ReadHarmonicEncoder(args, sinusoids, &parts);
  parts.processor_group = ReadGroup(args);
  ReadLosses(args, &parts);
  args.ExpectNone(
      "harmonic_distribution_prior",
      "cannot be had from gin: a prior is given the harmonic distribution alone, and every loss of upstream "
      "compares two tensors; GinModelOptions::harmonic_distribution_prior takes one of your own");
  parts.harmonic_distribution_prior = args.options().harmonic_distribution_prior;
  parts.stop_gradient = args.Flag("stop_gradient", true);
  args.Finish();
  if (!args.problems().empty()) return nullptr;
  return std::make_unique<InverseSynthesis>(std::move(parts));
}

}  // namespace ddsp
