// nn.*, keras.*, decoders.*: layers with the parameters of a checkpoint.
#include "core/nn/fully_connected.h"
#include "core/nn/rnn.h"
#include "core/nn/rnn_fc_decoder.h"
#include "tests/golden/adapters.h"

namespace ddsp::golden {
namespace {

using at::Tensor;

// Gives `layer` the parameters of the case.
void Load(Call& call, Layer& layer) { Unwrap(UseParameters(layer, call.Params())); }

int64_t Channels(const Tensor& x) { return x.size(-1); }

NamedTensors FcCase(Call& call) {
  const Tensor x = call.In("x");
  Fc layer(Channels(x), call.Int("ch", 128), Unwrap(ParseNonlinearity(call.Text("nonlinearity", "leaky_relu"))));
  Load(call, layer);
  return {{"y", layer.Forward(x)}};
}

NamedTensors FcStackCase(Call& call) {
  const Tensor x = call.In("x");
  const Nonlinearity nonlinearity = Unwrap(ParseNonlinearity(call.Text("nonlinearity", "leaky_relu")));
  FcStack layer(Channels(x), call.Int("ch", 256), call.Int("layers", 2), nonlinearity);
  Load(call, layer);
  return {{"y", layer.Forward(x)}};
}

NamedTensors LayerNormalizationCase(Call& call) {
  const Tensor x = call.In("x");
  LayerNormalization layer(Channels(x));
  Load(call, layer);
  return {{"y", layer.Forward(x)}};
}

RnnFcDecoder::Options DecoderOptionsOf(Call& call) {
  RnnFcDecoder::Options options;
  options.rnn_channels = call.Int("rnn_channels", 512);
  options.rnn_type = Unwrap(ParseRnnType(call.Text("rnn_type", "gru")));
  options.ch = call.Int("ch", 512);
  options.layers_per_stack = call.Int("layers_per_stack", 3);
  if (call.Has("input_keys")) {
    options.inputs.clear();
    for (const auto& key : call.Raw("input_keys")) options.inputs.push_back({key.get<std::string>(), 1});
  }
  for (auto& input : options.inputs) input.channels = Channels(call.In(input.key));
  if (call.Has("output_splits")) {
    options.output_splits.clear();
    for (const auto& split : call.Raw("output_splits")) options.output_splits.push_back({split.at(0), split.at(1)});
  }
  return options;
}

NamedTensors DecoderCase(Call& call) {
  if (call.Flag("stateless", false)) throw Unsupported("stateless");
  const auto decoder = Unwrap(RnnFcDecoder::Create(DecoderOptionsOf(call)));
  Load(call, *decoder);
  return Unwrap(decoder->Forward(call.Inputs())).controls;
}

// Consecutive calls over the lengths of `splits`; the state is carried.
NamedTensors StatelessDecoderCase(Call& call) {
  call.Flag("stateless", true);
  const auto decoder = Unwrap(RnnFcDecoder::Create(DecoderOptionsOf(call)));
  Load(call, *decoder);
  Tensor state = call.In("state");
  const Tensor splits = call.In("splits").to(at::kLong);
  std::map<std::string, std::vector<Tensor>> pieces;
  int64_t start = 0;
  for (int64_t i = 0; i < splits.size(0); ++i) {
    const int64_t length = splits[i].item<int64_t>();
    NamedTensors inputs;
    for (const auto& input : decoder->options().inputs) inputs[input.key] = call.In(input.key).narrow(1, start, length);
    auto output = Unwrap(decoder->Forward(inputs, state));
    for (auto& [name, control] : output.controls) pieces[name].push_back(control);
    state = output.state;
    pieces["states"].push_back(state);
    start += length;
  }
  NamedTensors results;
  for (auto& [name, parts] : pieces) results[name] = name == "states" ? at::stack(parts) : at::cat(parts, 1);
  return results;
}

}  // namespace

const AdapterEntry kNnAdapters[] = {
    {"nn.Fc", FcCase},
    {"nn.FcStack", FcStackCase},
    {"keras.LayerNormalization", LayerNormalizationCase},
    {"decoders.RnnFcDecoder", DecoderCase},
    {"decoders.RnnFcDecoder.stateless", StatelessDecoderCase},
    {nullptr, nullptr},
};

}  // namespace ddsp::golden
