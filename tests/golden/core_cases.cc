// core.*: functions on tensors.
#include "core/dsp/arrays.h"
#include "core/dsp/conversions.h"
#include "core/dsp/convolution.h"
#include "core/dsp/filter_design.h"
#include "core/dsp/oscillator.h"
#include "core/dsp/resample.h"
#include "core/dsp/safe_math.h"
#include "core/dsp/scaling.h"
#include "core/dsp/units.h"
#include "core/dsp/wavetable.h"
#include "tests/golden/adapters.h"

namespace ddsp::golden {
namespace {

using at::Tensor;

Endpoint EndpointOf(Call& call) { return call.Flag("add_endpoint", true) ? Endpoint::kHold : Endpoint::kLast; }

Range RangeOf(Call& call) { return call.Flag("clip", false) ? Range::kClipped : Range::kOpen; }

PhaseAccumulation AccumulationOf(Call& call, bool angular_by_default) {
  return call.Flag("use_angular_cumsum", angular_by_default) ? PhaseAccumulation::kAngularCumsum
                                                             : PhaseAccumulation::kCumsum;
}

NamedTensors PadAxisCase(Call& call) {
  const auto padding = call.Raw("padding").get<std::vector<int64_t>>();
  return Out(PadAxis(call.In("x"), padding.at(0), padding.at(1), call.Int("axis", 0)));
}

NamedTensors ResampleCase(Call& call) {
  const Interpolation method = ParseInterpolation(call.Text("method", "linear"));
  return Out(Resample(call.In("inputs"), call.Int("n_timesteps"), method, EndpointOf(call)));
}

NamedTensors CriticalBandsCase(Call& call) {
  CriticalBandOptions options;
  options.depth = call.Int("depth", 1);
  options.depth_scale = call.Number("depth_scale", 10.0);
  options.bandwidth_scale = call.Number("bandwidth_scale", 1.0);
  options.hz_min = call.Number("hz_min", 20.0);
  options.hz_max = call.Number("hz_max", 8000.0);
  options.scale = call.Text("scale", "bark") == "bark" ? CriticalBandScale::kBark : CriticalBandScale::kMel;
  return Out(FrequenciesCriticalBands(call.In("freqs"), options));
}

FrequencyScaleOptions FrequencyOptionsOf(Call& call, double hz_min) {
  return {call.Int("depth", 1), call.Number("hz_min", hz_min), call.Number("hz_max", 8000.0)};
}

NamedTensors NormalizeHarmonicsCase(Call& call) {
  const Tensor distribution = call.In("harmonic_distribution"), f0 = call.OptionalIn("f0_hz");
  const auto rate = call.OptionalNumber("sample_rate");
  if (!f0.defined() || !rate) return Out(NormalizeHarmonics(distribution));
  return Out(NormalizeHarmonics(distribution, f0, *rate));
}

NamedTensors OscillatorBankCase(Call& call) {
  const OscillatorOptions options = {call.Number("sample_rate", 16000), AccumulationOf(call, false)};
  const bool sum = call.Flag("sum_sinusoids", true);
  const Tensor f = call.In("frequency_envelopes"), a = call.In("amplitude_envelopes");
  return Out(sum ? OscillatorBank(f, a, options) : Oscillators(f, a, options));
}

NamedTensors HarmonicOscillatorBankCase(Call& call) {
  const OscillatorOptions options = {call.Number("sample_rate", 16000), AccumulationOf(call, true)};
  const ContinuedAudio result = HarmonicOscillatorBank(call.In("frequency"), call.In("amplitude_envelopes"),
                                                       call.OptionalIn("initial_phase"), options);
  return {{"audio", result.audio}, {"final_phase", result.final_phase}};
}

HarmonicControls ControlsOf(Call& call) {
  return {call.In("frequencies"), call.In("amplitudes"), call.OptionalIn("harmonic_distribution"),
          call.OptionalIn("harmonic_shifts")};
}

NamedTensors HarmonicSynthesisCase(Call& call) {
  const HarmonicSynthesisOptions options = {call.Int("n_samples", 64000), call.Number("sample_rate", 16000),
                                            ParseInterpolation(call.Text("amp_resample_method", "window")),
                                            AccumulationOf(call, false)};
  return Out(HarmonicSynthesis(ControlsOf(call), options));
}

NamedTensors StreamingHarmonicSynthesisCase(Call& call) {
  const HarmonicSynthesisOptions options = {call.Int("n_samples", 64000), call.Number("sample_rate", 16000),
                                            ParseInterpolation(call.Text("amp_resample_method", "linear")),
                                            PhaseAccumulation::kAngularCumsum};
  const ContinuedAudio result = StreamingHarmonicSynthesis(ControlsOf(call), call.OptionalIn("initial_phase"), options);
  return {{"audio", result.audio}, {"final_phase", result.final_phase}};
}

NamedTensors FftSizeCase(Call& call) {
  const FftSizes sizes = call.Flag("power_of_2", true) ? FftSizes::kPowersOfTwo : FftSizes::kSmooth;
  return Out(at::scalar_tensor(GetFftSize(call.Int("frame_size"), call.Int("ir_size"), sizes), at::kLong));
}

ConvolutionPadding PaddingOf(Call& call) { return ParseConvolutionPadding(call.Text("padding", "same")); }

ConvolutionOptions ConvolutionOptionsOf(Call& call) {
  return {PaddingOf(call), call.Int("delay_compensation", kAutomaticDelay)};
}

NamedTensors CropCase(Call& call) {
  const ConvolutionOptions options = ConvolutionOptionsOf(call);
  return Out(CropAndCompensateDelay(call.In("audio"), call.Int("audio_size"), call.Int("ir_size"), options));
}

NamedTensors WindowCase(Call& call) {
  const ImpulseForm form = call.Flag("causal", false) ? ImpulseForm::kCausal : ImpulseForm::kZeroPhase;
  return Out(ApplyWindowToImpulseResponse(call.In("impulse_response"), call.Int("window_size", 0), form));
}

NamedTensors FrequencyFilterCase(Call& call) {
  return Out(FrequencyFilter(call.In("audio"), call.In("magnitudes"), call.Int("window_size", 0), PaddingOf(call)));
}

SincOptions SincOptionsOf(Call& call) {
  return {call.Int("window_size", 512), call.OptionalNumber("sample_rate"),
          call.Flag("high_pass", false) ? PassBand::kHigh : PassBand::kLow};
}

NamedTensors SinusoidalToHarmonicCase(Call& call) {
  const SinusoidalToHarmonicOptions options = {call.Number("harmonic_width", 0.1), call.Int("n_harmonics", 100),
                                               call.Number("sample_rate", 16000), call.Flag("normalize", false)};
  const auto result = SinusoidalToHarmonic(call.In("sin_amps"), call.In("sin_freqs"), call.In("f0_hz"), options);
  return {{"harm_amp", result.harm_amp}, {"harm_dist", result.harm_dist}};
}

NamedTensors HarmonicToSinusoidalCase(Call& call) {
  const auto result = HarmonicToSinusoidal(call.In("harm_amp"), call.In("harm_dist"), call.In("f0_hz"),
                                           call.Number("sample_rate", 16000));
  return {{"amps", result.amps}, {"freqs", result.freqs}};
}

NamedTensors WavetableSynthesisCase(Call& call) {
  const WavetableOptions options = {call.Int("n_samples", 64000), call.Number("sample_rate", 16000)};
  return Out(WavetableSynthesis(call.In("frequencies"), call.In("amplitudes"), call.In("wavetables"), options));
}

}  // namespace

const AdapterEntry kCoreAdapters[] = {
    {"core.pad_axis", PadAxisCase},
    {"core.diff", [](Call& c) { return Out(Diff(c.In("x"), c.Int("axis", -1))); }},
    {"core.center_crop", [](Call& c) { return Out(CenterCrop(c.In("audio"), c.Int("frame_size"))); }},
    {"core.nan_to_num", [](Call& c) { return Out(NanToNum(c.In("x"), c.Number("value", 0))); }},
    {"core.safe_divide",
     [](Call& c) { return Out(SafeDivide(c.In("numerator"), c.In("denominator"), c.Number("eps", 1e-7))); }},
    {"core.safe_log", [](Call& c) { return Out(SafeLog(c.In("x"), c.Number("eps", 1e-5))); }},
    {"core.logb", [](Call& c) { return Out(Logb(c.In("x"), c.Number("base", 2), c.Number("eps", 1e-5))); }},
    {"core.log10", [](Call& c) { return Out(Log10(c.In("x"), c.Number("eps", 1e-5))); }},
    {"core.log_scale", [](Call& c) { return Out(LogScale(c.In("x"), c.Number("min_x", 0), c.Number("max_x", 0))); }},
    {"core.soft_limit", [](Call& c) { return Out(SoftLimit(c.In("x"), c.Number("x_min", 0), c.Number("x_max", 1))); }},
    {"core.gradient_reversal", [](Call& c) { return Out(GradientReversal(c.In("x"))); }},
    {"core.amplitude_to_db",
     [](Call& c) {
       return Out(AmplitudeToDb(c.In("amplitude"), c.Number("ref_db", 0), c.Number("range_db", kDbRange)));
     }},
    {"core.power_to_db",
     [](Call& c) { return Out(PowerToDb(c.In("power"), c.Number("ref_db", 0), c.Number("range_db", kDbRange))); }},
    {"core.db_to_amplitude", [](Call& c) { return Out(DbToAmplitude(c.In("db"))); }},
    {"core.db_to_power", [](Call& c) { return Out(DbToPower(c.In("db"))); }},
    {"core.midi_to_hz",
     [](Call& c) {
       return Out(
           MidiToHz(c.In("notes"), c.Flag("midi_zero_silence", false) ? MidiZero::kIsSilence : MidiZero::kIsPitch));
     }},
    {"core.hz_to_midi", [](Call& c) { return Out(HzToMidi(c.In("frequencies"))); }},
    {"core.unit_to_midi",
     [](Call& c) {
       return Out(UnitToMidi(c.In("unit"), c.Number("midi_min", 20), c.Number("midi_max", 90), RangeOf(c)));
     }},
    {"core.midi_to_unit",
     [](Call& c) {
       return Out(MidiToUnit(c.In("midi"), c.Number("midi_min", 20), c.Number("midi_max", 90), RangeOf(c)));
     }},
    {"core.unit_to_hz",
     [](Call& c) { return Out(UnitToHz(c.In("unit"), c.Number("hz_min", 0), c.Number("hz_max", 0), RangeOf(c))); }},
    {"core.hz_to_unit",
     [](Call& c) { return Out(HzToUnit(c.In("hz"), c.Number("hz_min", 0), c.Number("hz_max", 0), RangeOf(c))); }},
    {"core.hz_to_bark", [](Call& c) { return Out(HzToBark(c.In("hz"))); }},
    {"core.bark_to_hz", [](Call& c) { return Out(BarkToHz(c.In("bark"))); }},
    {"core.hz_to_mel", [](Call& c) { return Out(HzToMel(c.In("hz"))); }},
    {"core.mel_to_hz", [](Call& c) { return Out(MelToHz(c.In("mel"))); }},
    {"core.hz_to_erb", [](Call& c) { return Out(HzToErb(c.In("hz"))); }},
    {"core.exp_sigmoid",
     [](Call& c) {
       return Out(
           ExpSigmoid(c.In("x"), c.Number("exponent", 10), c.Number("max_value", 2), c.Number("threshold", 1e-7)));
     }},
    {"core.sym_exp_sigmoid", [](Call& c) { return Out(SymExpSigmoid(c.In("x"), c.Number("width", 8))); }},
    {"core.frequencies_softmax",
     [](Call& c) { return Out(FrequenciesSoftmax(c.In("freqs"), FrequencyOptionsOf(c, 20.0))); }},
    {"core.frequencies_sigmoid",
     [](Call& c) { return Out(FrequenciesSigmoid(c.In("freqs"), FrequencyOptionsOf(c, 0.0))); }},
    {"core.frequencies_critical_bands", CriticalBandsCase},
    {"core.resample", ResampleCase},
    {"core.upsample_with_windows",
     [](Call& c) { return Out(UpsampleWithWindows(c.In("inputs"), c.Int("n_timesteps"), EndpointOf(c))); }},
    {"core.angular_cumsum",
     [](Call& c) { return Out(AngularCumsum(c.In("angular_frequency"), c.Int("chunk_size", 1000))); }},
    {"core.remove_above_nyquist",
     [](Call& c) {
       return Out(RemoveAboveNyquist(c.In("frequency_envelopes"), c.In("amplitude_envelopes"),
                                     c.Number("sample_rate", 16000)));
     }},
    {"core.normalize_harmonics", NormalizeHarmonicsCase},
    {"core.get_harmonic_frequencies",
     [](Call& c) { return Out(GetHarmonicFrequencies(c.In("frequencies"), c.Int("n_harmonics"))); }},
    {"core.oscillator_bank", OscillatorBankCase},
    {"core.harmonic_oscillator_bank", HarmonicOscillatorBankCase},
    {"core.harmonic_synthesis", HarmonicSynthesisCase},
    {"core.streaming_harmonic_synthesis", StreamingHarmonicSynthesisCase},
    {"core.get_fft_size", FftSizeCase},
    {"core.crop_and_compensate_delay", CropCase},
    {"core.fft_convolve",
     [](Call& c) { return Out(FftConvolve(c.In("audio"), c.In("impulse_response"), ConvolutionOptionsOf(c))); }},
    {"core.apply_window_to_impulse_response", WindowCase},
    {"core.frequency_impulse_response",
     [](Call& c) { return Out(FrequencyImpulseResponse(c.In("magnitudes"), c.Int("window_size", 0))); }},
    {"core.frequency_filter", FrequencyFilterCase},
    {"core.sinc", [](Call& c) { return Out(Sinc(c.In("x"), c.Number("threshold", 1e-20))); }},
    {"core.sinc_impulse_response",
     [](Call& c) { return Out(SincImpulseResponse(c.In("cutoff_frequency"), SincOptionsOf(c))); }},
    {"core.sinc_filter",
     [](Call& c) {
       const SincOptions options = SincOptionsOf(c);
       return Out(SincFilter(c.In("audio"), c.In("cutoff_frequency"), options, PaddingOf(c)));
     }},
    {"core.sinusoidal_to_harmonic", SinusoidalToHarmonicCase},
    {"core.harmonic_to_sinusoidal", HarmonicToSinusoidalCase},
    {"core.linear_lookup", [](Call& c) { return Out(LinearLookup(c.In("phase"), c.In("wavetables"))); }},
    {"core.harmonic_distribution_to_wavetable",
     [](Call& c) {
       return Out(HarmonicDistributionToWavetable(c.In("harmonic_distribution"), c.Int("n_wavetable", 2048)));
     }},
    {"core.wavetable_synthesis", WavetableSynthesisCase},
    {"core.variable_length_delay",
     [](Call& c) {
       return Out(VariableLengthDelay(c.In("phase"), c.In("audio"), c.Int("max_length", 512), DelayEnd::kWrap));
     }},
    {nullptr, nullptr},
};

}  // namespace ddsp::golden
