// spectral_ops.*: short-time spectra, levels, frames.
#include "core/dsp/framing.h"
#include "core/dsp/loudness.h"
#include "core/dsp/spectrogram.h"
#include "tests/golden/adapters.h"

namespace ddsp::golden {
namespace {

using at::Tensor;

StftOptions StftOptionsOf(Call& call, const std::string& size_name, int64_t size) {
  StftOptions options;
  options.frame_size = call.Int(size_name, size);
  options.overlap = call.Number("overlap", 0.75);
  options.padding = call.Flag("pad_end", true) ? FramePadding::kSame : FramePadding::kValid;
  return options;
}

NamedTensors Complex(const Tensor& spectrum) {
  const Tensor parts = at::view_as_real(spectrum);
  return {{"out/real", parts.select(-1, 0)}, {"out/imag", parts.select(-1, 1)}};
}

// NumPy transforms in double.
NamedTensors NumpyStftCase(Call& call) {
  return Complex(Stft(call.In("audio").to(at::kDouble), StftOptionsOf(call, "frame_size", 2048)));
}

MelOptions MelOptionsOf(Call& call, MelOptions options, const std::string& bins_name, int64_t fft_size) {
  options.lo_hz = call.Number("lo_hz", options.lo_hz);
  options.hi_hz = call.Number("hi_hz", options.hi_hz);
  options.bins = call.Int(bins_name, options.bins);
  options.sample_rate = call.Number("sample_rate", 16000);
  options.stft = StftOptionsOf(call, "fft_size", fft_size);
  return options;
}

NamedTensors MfccCase(Call& call) {
  const MelOptions options = MelOptionsOf(call, {20.0, 8000.0, 128, 16000, {}}, "mel_bins", 1024);
  return Out(ComputeMfcc(call.In("audio"), call.Int("mfcc_bins", 13), options));
}

NamedTensors FramedLengthsCase(Call& call) {
  const FramePadding padding = ParseFramePadding(call.Text("padding", "center"));
  const FramedLengths lengths =
      GetFramedLengths(call.Int("input_length"), call.Int("frame_size"), call.Int("hop_size"), padding);
  return {{"n_frames", at::scalar_tensor(lengths.n_frames, at::kLong)},
          {"padded_length", at::scalar_tensor(lengths.padded_length, at::kLong)}};
}

PadMode PadModeOf(Call& call) {
  const std::string mode = call.Text("mode", "CONSTANT");
  if (mode == "CONSTANT") return PadMode::kConstant;
  if (mode == "REFLECT") return PadMode::kReflect;
  if (mode == "SYMMETRIC") return PadMode::kSymmetric;
  throw Unsupported("mode " + mode);
}

NamedTensors PadCase(Call& call) {
  const PadOptions options = {ParseFramePadding(call.Text("padding", "center")), call.Int("axis", 1), PadModeOf(call),
                              call.Number("constant_values", 0)};
  return Out(PadForFrames(call.In("x"), call.Int("frame_size"), call.Int("hop_size"), options));
}

// What all level functions take; those in dB have a reference and a range besides.
LevelOptions LevelOptionsOf(Call& call, const std::string& size_name) {
  LevelOptions options;
  options.sample_rate = call.Int("sample_rate", 16000);
  options.frame_rate = call.Int("frame_rate", 250);
  options.frame_size = call.Int(size_name, 512);
  options.padding = ParseFramePadding(call.Text("padding", "center"));
  return options;
}

LevelOptions DbOptionsOf(Call& call, const std::string& size_name) {
  LevelOptions options = LevelOptionsOf(call, size_name);
  options.ref_db = call.Number("ref_db", 0);
  options.range_db = call.Number("range_db", kDbRange);
  return options;
}

NamedTensors LoudnessCase(Call& call) {
  call.Flag("use_tf", true);  // the same meaning either way
  return Out(ComputeLoudness(call.In("audio"), DbOptionsOf(call, "n_fft")));
}

NamedTensors PadOrTrimCase(Call& call) {
  call.Flag("use_tf", false);
  return Out(PadOrTrim(call.In("vector"), call.Int("expected_len"), call.Number("pad_value", 0),
                       call.Int("len_tolerance", 20)));
}

}  // namespace

const AdapterEntry kSpectralAdapters[] = {
    {"spectral_ops.stft", [](Call& c) { return Complex(Stft(c.In("audio"), StftOptionsOf(c, "frame_size", 2048))); }},
    {"spectral_ops.stft_np", NumpyStftCase},
    {"spectral_ops.compute_mag",
     [](Call& c) { return Out(ComputeMag(c.In("audio"), StftOptionsOf(c, "size", 2048))); }},
    {"spectral_ops.compute_logmag",
     [](Call& c) { return Out(ComputeLogmag(c.In("audio"), StftOptionsOf(c, "size", 2048))); }},
    {"spectral_ops.compute_mel",
     [](Call& c) { return Out(ComputeMel(c.In("audio"), MelOptionsOf(c, {}, "bins", 2048))); }},
    {"spectral_ops.compute_logmel",
     [](Call& c) {
       return Out(ComputeLogmel(c.In("audio"), MelOptionsOf(c, {80.0, 7600.0, 64, 16000, {}}, "bins", 2048)));
     }},
    {"spectral_ops.compute_mfcc", MfccCase},
    {"spectral_ops.get_framed_lengths", FramedLengthsCase},
    {"spectral_ops.pad", PadCase},
    {"spectral_ops.compute_rms_energy",
     [](Call& c) { return Out(ComputeRmsEnergy(c.In("audio"), LevelOptionsOf(c, "frame_size"))); }},
    {"spectral_ops.compute_power",
     [](Call& c) { return Out(ComputePower(c.In("audio"), DbOptionsOf(c, "frame_size"))); }},
    {"spectral_ops.compute_loudness", LoudnessCase},
    {"spectral_ops.pad_or_trim_to_expected_length", PadOrTrimCase},
    {nullptr, nullptr},
};

}  // namespace ddsp::golden
