#include "tests/golden/gin_autoencoder.h"

#include "core/dsp/preprocessing.h"
#include "tests/golden/call.h"
#include "tests/golden/graph_args.h"

namespace ddsp::golden {
namespace {

using at::Tensor;
using Json = nlohmann::json;

std::unique_ptr<MfccTimeDistributedRnnEncoder> EncoderFrom(const Json& args) {
  MfccTimeDistributedRnnEncoder::Options options;
  options.rnn_channels = args.value("rnn_channels", 512);
  options.rnn_type = Unwrap(ParseRnnType(args.value("rnn_type", "gru")));
  options.z_dims = args.value("z_dims", 32);
  options.z_time_steps = args.value("z_time_steps", 250);
  return std::make_unique<MfccTimeDistributedRnnEncoder>(options);
}

std::unique_ptr<RnnFcDecoder> DecoderFrom(const Json& args, int64_t z_dims) {
  RnnFcDecoder::Options options;
  options.rnn_channels = args.value("rnn_channels", 512);
  options.rnn_type = Unwrap(ParseRnnType(args.value("rnn_type", "gru")));
  options.ch = args.value("ch", 512);
  options.layers_per_stack = args.value("layers_per_stack", 3);
  options.inputs.clear();
  for (const Json& key : args.at("input_keys"))
    options.inputs.push_back({key.get<std::string>(), key == "z" ? z_dims : 1});
  options.output_splits.clear();
  for (const Json& split : args.at("output_splits")) options.output_splits.push_back({split.at(0), split.at(1)});
  return Unwrap(RnnFcDecoder::Create(options));
}

SpectralLossOptions LossOptionsFrom(const Json& args) {
  SpectralLossOptions options;
  options.fft_sizes = args.value("fft_sizes", options.fft_sizes);
  options.loss_type = ParseLossType(args.value("loss_type", "L1"));
  options.mag_weight = args.value("mag_weight", 1.0);
  options.logmag_weight = args.value("logmag_weight", 0.0);
  return options;
}

// Parameters whose path starts with `prefix`, without it.
NamedTensors Below(const NamedTensors& parameters, const std::string& prefix) {
  NamedTensors below;
  for (const auto& [path, value] : parameters) {
    if (path.starts_with(prefix)) below[path.substr(prefix.size())] = value;
  }
  return below;
}

void AddLosses(const SpectralLossResult& loss, NamedTensors* results) {
  std::vector<Tensor> mag, logmag;
  std::vector<int64_t> sizes;
  for (const SpectralTerms& scale : loss.scales) {
    sizes.push_back(scale.fft_size);
    mag.push_back(scale.mag);
    logmag.push_back(scale.logmag);
  }
  (*results)["loss/fft_sizes"] = at::tensor(sizes);
  (*results)["loss/per_scale_mag"] = at::stack(mag);
  (*results)["loss/per_scale_logmag"] = at::stack(logmag);
  (*results)["loss/spectral_loss"] = loss.total.unsqueeze(0);
  (*results)["loss/total_loss"] = loss.total.unsqueeze(0);
}

}  // namespace

GinAutoencoder::GinAutoencoder(GinArgs gin) : gin_(std::move(gin)) {
  const Json model = gin_.ParametersOf("Autoencoder");
  const Json encoder = model.value("encoder", Json()),
             encoder_args = gin_.ParametersOf("MfccTimeDistributedRnnEncoder");
  if (!encoder.is_null()) {
    if (encoder != "encoders.MfccTimeDistributedRnnEncoder") throw Unsupported(encoder.get<std::string>());
    encoder_ = EncoderFrom(encoder_args);
  }
  if (model.at("decoder") != "decoders.RnnFcDecoder") throw Unsupported(model["decoder"].get<std::string>());
  preprocessor_ = model.at("preprocessor").get<std::string>();
  decoder_ = DecoderFrom(gin_.ParametersOf("RnnFcDecoder"), encoder_args.value("z_dims", 32));
  loss_ = std::make_unique<SpectralLoss>(LossOptionsFrom(gin_.ParametersOf("SpectralLoss")));
}

NamedTensors GinAutoencoder::Preprocess(const NamedTensors& inputs) const {
  const Json args = gin_.ParametersOf(preprocessor_);
  const Tensor audio = Unwrap(Lookup(inputs, "audio")), f0_hz = Unwrap(Lookup(inputs, "f0_hz"));
  if (preprocessor_ == "preprocessing.OnlineF0PowerPreprocessor") {
    if (args.value("compute_f0", true)) throw Unsupported("compute_f0");
    const OnlinePowerOptions options = {args.value("frame_rate", 250), args.value("frame_size", 1024),
                                        ParseFramePadding(args.value("padding", "center"))};
    const Tensor audio_16k = Optional(inputs, "audio_16k");
    return PreprocessOnlineF0Power(audio_16k.defined() ? audio_16k : audio, f0_hz,
                                   Unwrap(Lookup(inputs, "f0_confidence")), options);
  }
  // Upstream ignores a given loudness where there is audio.
  if (preprocessor_ != "preprocessing.F0LoudnessPreprocessor") throw Unsupported(preprocessor_);
  return PreprocessF0Loudness(ComputeLoudness(audio), f0_hz, args.value("time_steps", 1000));
}

NamedTensors GinAutoencoder::Synthesize(const NamedTensors& inputs, const NamedTensors& features,
                                        const NamedTensors& parameters) const {
  std::vector<std::string> keys;
  for (const auto& [name, feature] : features) keys.push_back(name);
  const GraphSpec spec = GraphFromArgs(gin_, keys);
  const ProcessorGroup group(Unwrap(ValidateGraphSpec(spec)));
  GroupContext context;
  context.parameters = Below(parameters, "processor_group/");
  for (const GraphNode& node : spec.nodes) {
    if (!DrawsNoise(node.class_name)) continue;
    context.noise[node.name] =
        Unwrap(Lookup(inputs, node.class_name == "synths.FilteredNoise" ? "noise" : "reverb_noise"));
  }
  return Unwrap(group.Run(features, context));
}

NamedTensors GinAutoencoder::Run(const NamedTensors& inputs, const NamedTensors& parameters) const {
  NamedTensors results = Preprocess(inputs);
  if (encoder_) {
    Unwrap(UseParameters(*encoder_, Below(parameters, "encoder/")));
    results["z"] = encoder_->Forward(Unwrap(Lookup(inputs, "audio")), results.at("f0_scaled").size(1));
  }
  Unwrap(UseParameters(*decoder_, Below(parameters, "decoder/")));
  results.merge(Unwrap(decoder_->Forward(results)).controls);
  results.merge(Synthesize(inputs, results, parameters));
  results["audio_synth"] = results["out/signal"];
  if (results.contains("reverb/controls/ir"))
    results["reverb/controls/ir"] = results["reverb/controls/ir"].narrow(0, 0, 1);
  AddLosses(loss_->Compute(Unwrap(Lookup(inputs, "audio")), results["audio_synth"]), &results);
  return results;
}

}  // namespace ddsp::golden
