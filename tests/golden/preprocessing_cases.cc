// preprocessing.*: features to network inputs.
#include "core/dsp/argument.h"
#include "core/dsp/preprocessing.h"
#include "tests/golden/adapters.h"

namespace ddsp::golden {
namespace {

using at::Tensor;

Tensor Required(Call& call, const std::string& name) {
  const Tensor tensor = call.OptionalIn(name);
  if (!tensor.defined()) throw Rejected(name + " is not given");
  return tensor;
}

NamedTensors OnlineF0PowerCase(Call& call) {
  OnlinePowerOptions options;
  options.frame_rate = call.Int("frame_rate", 250);
  options.frame_size = call.Int("frame_size", 1024);
  options.padding = ParseFramePadding(call.Text("padding", "center"));
  call.Raw("crepe_saved_model_path");
  call.Flag("viterbi", false);
  if (call.Flag("compute_f0", true)) throw Unsupported("compute_f0");
  Tensor audio = call.OptionalIn("audio_16k");
  const Tensor other = call.OptionalIn("audio");
  if (!audio.defined()) audio = other;
  if (!audio.defined()) throw Unsupported("without audio");
  const Tensor f0 = Required(call, "f0_hz"), confidence = Required(call, "f0_confidence");
  if (call.Flag("compute_power", true)) {
    call.OptionalIn("pw_db");
    return PreprocessOnlineF0Power(audio, f0, confidence, options);
  }
  return PreprocessGivenF0Power(audio.size(1), Required(call, "pw_db"), f0, confidence, options);
}

LevelOptions LevelOptionsOf(Call& call, int64_t frame_size) {
  LevelOptions options;
  options.sample_rate = call.Int("sample_rate", 16000);
  options.frame_rate = call.Int("frame_rate", 250);
  options.frame_size = frame_size;
  return options;
}

NamedTensors F0LoudnessCase(Call& call) {
  const LevelOptions options = LevelOptionsOf(call, 512);
  const bool compute = call.Flag("compute_loudness", true);
  const Tensor given = call.OptionalIn("loudness_db"), audio = call.OptionalIn("audio");
  const Tensor loudness = compute ? ComputeLoudness(Required(call, "audio"), options) : given;
  return PreprocessF0Loudness(loudness, call.In("f0_hz"), call.Int("time_steps", 1000));
}

NamedTensors F0PowerCase(Call& call) {
  const LevelOptions options = LevelOptionsOf(call, call.Int("frame_size", 64));
  const int64_t time_steps = call.Int("time_steps", 1000);
  const Tensor given = call.OptionalIn("power_db"), audio = call.OptionalIn("audio");
  DDSP_CHECK_ARGUMENT(given.defined() || audio.defined(), "neither power_db nor audio is given");
  return PreprocessF0Power(given.defined() ? given : ComputePower(audio, options), call.In("f0_hz"), time_steps);
}

NamedTensors InvertLoudnessCase(Call& call) {
  call.Args();
  return {{"f0_hz", InvScaleF0Hz(call.In("f0_scaled"))}, {"loudness_db", InvScaleDb(call.In("ld_scaled"))}};
}

}  // namespace

const AdapterEntry kPreprocessingAdapters[] = {
    {"preprocessing.scale_db", [](Call& c) { return Out(ScaleDb(c.In("db"))); }},
    {"preprocessing.inv_scale_db", [](Call& c) { return Out(InvScaleDb(c.In("db_scaled"))); }},
    {"preprocessing.scale_f0_hz", [](Call& c) { return Out(ScaleF0Hz(c.In("f0_hz"))); }},
    {"preprocessing.inv_scale_f0_hz", [](Call& c) { return Out(InvScaleF0Hz(c.In("f0_scaled"))); }},
    {"preprocessing.at_least_3d", [](Call& c) { return Out(AtLeast3d(c.In("x"))); }},
    {"preprocessing.OnlineF0PowerPreprocessor", OnlineF0PowerCase},
    {"preprocessing.F0LoudnessPreprocessor", F0LoudnessCase},
    {"preprocessing.F0LoudnessPreprocessor.invert_scaling", InvertLoudnessCase},
    {"preprocessing.F0PowerPreprocessor", F0PowerCase},
    {nullptr, nullptr},
};

}  // namespace ddsp::golden
