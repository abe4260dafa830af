// encoders.*, and the parts of CREPE that need no network.
#include "core/dsp/crepe.h"
#include "core/nn/encoders.h"
#include "tests/golden/adapters.h"

namespace ddsp::golden {
namespace {

using at::Tensor;

RnnType RnnTypeOf(Call& call) { return Unwrap(ParseRnnType(call.Text("rnn_type", "gru"))); }

NamedTensors TimeDistributedCase(Call& call) {
  MfccTimeDistributedRnnEncoder encoder(
      {call.Int("rnn_channels", 512), RnnTypeOf(call), call.Int("z_dims", 32), call.Int("z_time_steps", 250)});
  Unwrap(UseParameters(encoder, call.Params()));
  return {{"z", encoder.Forward(call.In("audio"), call.In("f0_scaled").size(1))}};
}

NamedTensors MfccRnnCase(Call& call) {
  if (!call.Flag("mean_aggregate", false)) throw Unsupported("without mean_aggregate");
  MfccRnnEncoder encoder({call.Int("rnn_channels", 512), RnnTypeOf(call), call.Int("z_dims", 512)});
  Unwrap(UseParameters(encoder, call.Params()));
  return {{"z", encoder.Forward(call.In("audio"), call.In("f0_scaled").size(1))}};
}

NamedTensors AggregateCase(Call& call) {
  AggregateFeaturesEncoder encoder(call.Int("ch", 512));
  Unwrap(UseParameters(encoder, call.Params()));
  return {{"z", encoder.Forward(call.In("f0_scaled"), call.In("ld_scaled"))}};
}

NamedTensors OneHotCase(Call& call) {
  OneHotEncoder encoder(call.Int("vocab_size", 1024), call.Int("n_dims", 256));
  Unwrap(UseParameters(encoder, call.Params()));
  call.OptionalIn("f0_scaled");  // only says how many steps there are, which upstream skips here
  return {{"z", encoder.Forward(call.In(call.Text("one_hot_key", "instrument")))}};
}

NamedTensors SinusoidalToHarmonicCase(Call& call) {
  const Tensor freqs = call.In("sin_freqs"), amps = call.In("sin_amps");
  const nlohmann::json& net = call.Raw("net");
  SinusoidalToHarmonicEncoder::Options options;
  options.net = {2 * freqs.size(-1), net.value("fc_stack_ch", 256), net.value("fc_stack_layers", 2),
                 net.value("rnn_ch", 512), RnnType::kGru};
  options.n_harmonics = call.Int("n_harmonics", 100);
  SinusoidalToHarmonicEncoder encoder(options);
  Unwrap(UseParameters(encoder, call.Params()));
  return encoder.Forward(freqs, amps);
}

NamedTensors CrepeDecodeCase(Call& call) {
  const CrepePitch pitch = CrepeDecode(call.In("activations"), call.OptionalIn("centers"));
  return {{"f0_hz", pitch.f0_hz}, {"confidence", pitch.confidence}};
}

}  // namespace

const AdapterEntry kEncoderAdapters[] = {
    {"encoders.MfccTimeDistributedRnnEncoder", TimeDistributedCase},
    {"encoders.MfccRnnEncoder", MfccRnnCase},
    {"encoders.AggregateFeaturesEncoder", AggregateCase},
    {"encoders.OneHotEncoder", OneHotCase},
    {"encoders.SinusoidalToHarmonicEncoder", SinusoidalToHarmonicCase},
    {"spectral_ops.PretrainedCREPE.activations_to_f0_and_confidence", CrepeDecodeCase},
    {"spectral_ops.PretrainedCREPE.normalize_frames", [](Call& c) { return Out(CrepeNormalize(c.In("frames"))); }},
    {"spectral_ops.PretrainedCREPE.batch_frames",
     [](Call& c) { return Out(CrepeFrames(c.In("audio"), c.Int("hop_size", 160))); }},
    {"spectral_ops.PretrainedCREPE.viterbi_decode", [](Call& c) { return Out(CrepeViterbi(c.In("acts"))); }},
    {nullptr, nullptr},
};

}  // namespace ddsp::golden
