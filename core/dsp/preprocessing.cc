#include "core/dsp/preprocessing.h"

#include "core/dsp/argument.h"
#include "core/dsp/resample.h"
#include "core/dsp/units.h"

namespace ddsp {
namespace {

constexpr int64_t kFeatureRate = 16000;  // Hz

NamedTensors ResampledFeatures(const at::Tensor& level_db, const at::Tensor& f0_hz, int64_t time_steps,
                               const std::string& level) {
  const at::Tensor f0 = Resample(AtLeast3d(f0_hz), time_steps);
  const at::Tensor db = Resample(AtLeast3d(level_db), time_steps);
  return {{"f0_hz", f0}, {level + "_db", db}, {"f0_scaled", ScaleF0Hz(f0)}};
}

}  // namespace

at::Tensor ScaleDb(const at::Tensor& db) { return db / kDbRange + 1; }
at::Tensor InvScaleDb(const at::Tensor& scaled) { return (scaled - 1) * kDbRange; }
at::Tensor ScaleF0Hz(const at::Tensor& f0_hz) { return HzToMidi(f0_hz) / kF0Range; }
at::Tensor InvScaleF0Hz(const at::Tensor& scaled) { return MidiToHz(scaled * kF0Range); }

at::Tensor AtLeast3d(const at::Tensor& x) {
  at::Tensor y = x;
  if (y.dim() == 0) y = y.unsqueeze(0);
  if (y.dim() == 1) y = y.unsqueeze(0);
  if (y.dim() == 2) y = y.unsqueeze(2);
  return y;
}

NamedTensors PreprocessOnlineF0Power(const at::Tensor& audio, const at::Tensor& f0_hz, const at::Tensor& f0_confidence,
                                     const OnlinePowerOptions& options) {
  DDSP_CHECK_ARGUMENT(audio.dim() == 2, "audio has shape ", audio.sizes(), ", expected [batch, samples]");
  LevelOptions level;
  level.sample_rate = kFeatureRate;
  level.frame_rate = options.frame_rate;
  level.frame_size = options.frame_size;
  level.padding = options.padding;
  return PreprocessGivenF0Power(audio.size(1), ComputePower(audio, level), f0_hz, f0_confidence, options);
}

NamedTensors PreprocessGivenF0Power(int64_t n_samples, const at::Tensor& pw_db, const at::Tensor& f0_hz,
                                    const at::Tensor& f0_confidence, const OnlinePowerOptions& options) {
  DDSP_CHECK_ARGUMENT(f0_hz.defined() && f0_confidence.defined(),
                      "f0_hz and f0_confidence are not given, expected both");
  DDSP_CHECK_ARGUMENT(options.frame_rate > 0, "frame_rate is ", options.frame_rate, ", expected a positive number");
  const at::Tensor power = AtLeast3d(pw_db), f0 = AtLeast3d(f0_hz);
  NamedTensors features = {{"f0_hz", f0},
                           {"pw_db", power},
                           {"f0_scaled", ScaleF0Hz(f0)},
                           {"pw_scaled", ScaleDb(power)},
                           {"f0_confidence", f0_confidence}};
  const int64_t frames =
      GetFramedLengths(n_samples, options.frame_size, kFeatureRate / options.frame_rate, options.padding).n_frames;
  for (const auto& [name, feature] : features) {
    DDSP_CHECK_ARGUMENT(feature.dim() >= 2 && feature.size(1) == frames, name, " has shape ", feature.sizes(),
                        ", expected ", frames, " frames for ", n_samples, " samples");
  }
  return features;
}

NamedTensors PreprocessF0Loudness(const at::Tensor& loudness_db, const at::Tensor& f0_hz, int64_t time_steps) {
  NamedTensors features = ResampledFeatures(loudness_db, f0_hz, time_steps, "loudness");
  features["ld_scaled"] = ScaleDb(features["loudness_db"]);
  return features;
}

NamedTensors PreprocessF0Power(const at::Tensor& power_db, const at::Tensor& f0_hz, int64_t time_steps) {
  NamedTensors features = ResampledFeatures(power_db, f0_hz, time_steps, "pw");
  features["pw_scaled"] = ScaleDb(features["pw_db"]);
  return features;
}

}  // namespace ddsp
