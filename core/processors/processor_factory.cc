#include "core/processors/processor_factory.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/dsp/argument.h"
#include "core/processors/effects.h"
#include "core/processors/mixing.h"
#include "core/processors/synths.h"

namespace ddsp {
namespace {

using Made = std::unique_ptr<Processor>;

ScaleFn ReadScale(ArgReader& args, const std::string& name, const std::string& fallback = "core.exp_sigmoid") {
  return args.Accept(ParseScaleFn(args.Text(name, fallback)));
}

Interpolation ReadInterpolation(ArgReader& args) {
  return args.Accept(CatchTorch([&] { return ParseInterpolation(args.Text("amp_resample_method", "window")); }));
}

PhaseAccumulation ReadPhase(ArgReader& args) {
  const std::string phase = args.Text("phase", args.Flag("use_angular_cumsum", false) ? "angular_cumsum" : "exact");
  if (phase == "exact") return PhaseAccumulation::kExact;
  if (phase == "cumsum") return PhaseAccumulation::kCumsum;
  if (phase == "angular_cumsum") return PhaseAccumulation::kAngularCumsum;
  if (phase == "traced_angular_cumsum") return PhaseAccumulation::kTracedAngularCumsum;
  args.Reject(
      absl::StrCat("phase is '", phase, "', expected exact, cumsum, angular_cumsum or traced_angular_cumsum"));
  return PhaseAccumulation::kExact;
}

DrySignal ReadDry(ArgReader& args) { return args.Flag("add_dry", true) ? DrySignal::kAdd : DrySignal::kLeaveOut; }

Reverb::Options ReadReverb(ArgReader& args) {
  Reverb::Options options;
  options.source = args.Flag("trainable", false) ? ReverbSource::kParameters : ReverbSource::kInputs;
  options.reverb_length = args.Int("reverb_length", options.reverb_length, 1);
  options.dry = ReadDry(args);
  return options;
}

Made MakeTensorToAudio(ArgReader&, const std::string& name) { return std::make_unique<TensorToAudio>(name); }

Made MakeHarmonic(ArgReader& args, const std::string& name) {
  Harmonic::Options options;
  options.n_samples = args.Int("n_samples", options.n_samples, 1);
  options.sample_rate = args.Positive("sample_rate", options.sample_rate);
  options.scale_fn = ReadScale(args, "scale_fn");
  options.above_nyquist = args.Flag("normalize_below_nyquist", true) ? AboveNyquist::kRemove : AboveNyquist::kKeepShare;
  options.amp_resample_method = ReadInterpolation(args);
  const PhaseAccumulation phase = ReadPhase(args);
  if (phase == PhaseAccumulation::kExact) return std::make_unique<Harmonic>(options, name);
  return std::make_unique<FloatPhaseHarmonic>(options, phase, name);
}

Made MakeFilteredNoise(ArgReader& args, const std::string& name) {
  FilteredNoise::Options options;
  options.n_samples = args.Int("n_samples", options.n_samples, 1);
  options.window_size = args.Int("window_size", options.window_size, 0);
  options.scale_fn = ReadScale(args, "scale_fn");
  options.initial_bias = args.Number("initial_bias", options.initial_bias);
  return std::make_unique<FilteredNoise>(options, name);
}

Made MakeWavetable(ArgReader& args, const std::string& name) {
  Wavetable::Options options;
  options.n_samples = args.Int("n_samples", options.n_samples, 1);
  options.sample_rate = args.Positive("sample_rate", options.sample_rate);
  options.scale_fn = ReadScale(args, "scale_fn");
  return std::make_unique<Wavetable>(options, name);
}

Made MakeSinusoidal(ArgReader& args, const std::string& name) {
  Sinusoidal::Options options;
  options.n_samples = args.Int("n_samples", options.n_samples, 1);
  options.sample_rate = args.Positive("sample_rate", options.sample_rate);
  options.amp_scale_fn = ReadScale(args, "amp_scale_fn");
  options.amp_resample_method = ReadInterpolation(args);
  options.freq_scale_fn = args.Accept(ParseFrequencyScale(args.Text("freq_scale_fn", "core.frequencies_sigmoid")));
  const PhaseAccumulation phase = ReadPhase(args);
  if (phase == PhaseAccumulation::kExact) return std::make_unique<Sinusoidal>(options, name);
  return std::make_unique<FloatPhaseSinusoidal>(options, phase, name);
}

Made MakeReverb(ArgReader& args, const std::string& name) { return std::make_unique<Reverb>(ReadReverb(args), name); }

Made MakeExpDecayReverb(ArgReader& args, const std::string& name) {
  const Reverb::Options options = ReadReverb(args);
  return std::make_unique<ExpDecayReverb>(options, ReadScale(args, "scale_fn"), name);
}

Made MakeFilteredNoiseReverb(ArgReader& args, const std::string& name) {
  FilteredNoiseReverb::NoiseOptions noise;
  noise.window_size = args.Int("window_size", noise.window_size, 0);
  noise.n_frames = args.Int("n_frames", noise.n_frames, 1);
  noise.n_filter_banks = args.Int("n_filter_banks", noise.n_filter_banks, 2);
  noise.scale_fn = ReadScale(args, "scale_fn");
  noise.initial_bias = args.Number("initial_bias", noise.initial_bias);
  return std::make_unique<FilteredNoiseReverb>(ReadReverb(args), noise, name);
}

Made MakeFirFilter(ArgReader& args, const std::string& name) {
  FirFilter::Options options;
  options.window_size = args.Int("window_size", options.window_size, 0);
  options.scale_fn = ReadScale(args, "scale_fn");
  return std::make_unique<FirFilter>(options, name);
}

Made MakeModDelay(ArgReader& args, const std::string& name) {
  ModDelay::Options options;
  options.center_ms = args.Number("center_ms", options.center_ms);
  options.depth_ms = args.Number("depth_ms", options.depth_ms);
  options.sample_rate = args.Positive("sample_rate", options.sample_rate);
  options.gain_scale_fn = ReadScale(args, "gain_scale_fn");
  options.phase_scale_fn = ReadScale(args, "phase_scale_fn", "tf.nn.sigmoid");
  options.dry = ReadDry(args);
  const std::string end = args.Text("delay_end", "hold");
  if (end != "hold" && end != "wrap") args.Reject(absl::StrCat("delay_end is '", end, "', expected hold or wrap"));
  options.end = end == "wrap" ? DelayEnd::kWrap : DelayEnd::kHold;
  return std::make_unique<ModDelay>(options, name);
}

Made MakeAdd(ArgReader&, const std::string& name) { return std::make_unique<Add>(name); }

Made MakeMix(ArgReader& args, const std::string& name) {
  const std::string gains = args.Text("gains", "constant_power");
  if (gains != "constant_power" && gains != "upstream") {
    args.Reject(absl::StrCat("gains is '", gains, "', expected constant_power or upstream"));
  }
  return std::make_unique<Mix>(gains == "upstream" ? MixGains::kUpstream : MixGains::kConstantPower, name);
}

Made MakeCrop(ArgReader& args, const std::string& name) {
  const int64_t frame_size = args.Int("frame_size", -1, 0);
  if (frame_size < 0) args.Reject("frame_size is missing");
  return std::make_unique<Crop>(frame_size, args.Accept(ParseCropLocation(args.Text("crop_location", "back"))), name);
}

struct Entry {
  const char* class_name;
  Made (*make)(ArgReader& args, const std::string& name);
};

constexpr Entry kEntries[] = {
    {"synths.TensorToAudio", MakeTensorToAudio},
    {"synths.Harmonic", MakeHarmonic},
    {"synths.FilteredNoise", MakeFilteredNoise},
    {"synths.Wavetable", MakeWavetable},
    {"synths.Sinusoidal", MakeSinusoidal},
    {"effects.Reverb", MakeReverb},
    {"effects.ExpDecayReverb", MakeExpDecayReverb},
    {"effects.FilteredNoiseReverb", MakeFilteredNoiseReverb},
    {"effects.FIRFilter", MakeFirFilter},
    {"effects.ModDelay", MakeModDelay},
    {"processors.Add", MakeAdd},
    {"processors.Mix", MakeMix},
    {"processors.Crop", MakeCrop},
};

// "Harmonic" and "ddsp.synths.Harmonic" are "synths.Harmonic" too.
bool Matches(const std::string& wanted, const std::string& class_name) {
  const std::string bare = class_name.substr(class_name.find('.') + 1);
  return wanted == class_name || wanted == bare || wanted == "ddsp." + class_name;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Processor>> MakeProcessor(const std::string& class_name, const std::string& name,
                                                         const ConstructorArgs& args) {
  for (const Entry& entry : kEntries) {
    if (!Matches(class_name, entry.class_name)) continue;
    ArgReader reader(args);
    Made made = entry.make(reader, name);
    RETURN_IF_ERROR(reader.Finish());
    return made;
  }
  return absl::NotFoundError(
      absl::StrCat("no processor class '", class_name, "'; there are: ", absl::StrJoin(ProcessorClasses(), ", ")));
}

std::vector<std::string> ProcessorClasses() {
  std::vector<std::string> names;
  for (const Entry& entry : kEntries) names.emplace_back(entry.class_name);
  return names;
}

}  // namespace ddsp
