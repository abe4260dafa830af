// decoders.*: decoders of dilated convolutions.
#include "core/nn/conv_decoders.h"
#include "tests/golden/adapters.h"

namespace ddsp::golden {
namespace {

using at::Tensor;
using Json = nlohmann::json;

std::vector<RnnFcDecoder::Feature> FeaturesOf(Call& call, const std::string& argument) {
  std::vector<RnnFcDecoder::Feature> features;
  for (const Json& key : call.Raw(argument)) {
    const std::string name = key.get<std::string>();
    features.push_back({name, call.In(name).size(-1)});
  }
  return features;
}

std::vector<RnnFcDecoder::Feature> SplitsOf(Call& call) {
  std::vector<RnnFcDecoder::Feature> splits;
  for (const Json& split : call.Raw("output_splits")) splits.push_back({split.at(0), split.at(1)});
  return splits;
}

DilatedConvStack::Options StackFrom(const Json& args) {
  DilatedConvStack::Options options;
  options.ch = args.value("ch", 256);
  options.layers_per_stack = args.value("layers_per_stack", 5);
  options.stacks = args.value("stacks", 2);
  options.kernel_size = args.value("kernel_size", 3);
  options.dilation = args.value("dilation", 2);
  options.norm_type = Unwrap(ParseNormType(args.value("norm_type", "layer")));
  return options;
}

// Gradients through a layer normalisation of nearly equal values are noise in float32: upstream's lies 1.4e-5 from the
// exact ones, with a tolerance of 1.5e-5.
NamedTensors InDouble(const NamedTensors& tensors) {
  NamedTensors converted;
  for (const auto& [name, tensor] : tensors) converted[name] = tensor.to(at::kDouble);
  return converted;
}

NamedTensors DilatedConvDecoderCase(Call& call) {
  DilatedConvDecoder::Options options;
  options.inputs = FeaturesOf(call, "input_keys");
  options.conditioning = FeaturesOf(call, "conditioning_keys");
  options.output_splits = SplitsOf(call);
  const Json& precondition = call.Raw("precondition_stack");
  if (!precondition.is_null()) {
    options.precondition_ch = precondition.at("ch");
    options.precondition_layers = precondition.at("layers");
  }
  options.stack = StackFrom(call.Args());
  DilatedConvDecoder decoder(options);
  Unwrap(UseParameters(decoder, InDouble(call.Params())));
  return Unwrap(decoder.Forward(InDouble(call.Inputs())));
}

DilatedConvStack::Options NetOf(Call& call, const Tensor& x) {
  DilatedConvStack::Options net = StackFrom(call.Raw("net"));
  net.in = x.size(-1);
  return net;
}

NamedTensors MidiDecoderCase(Call& call) {
  const Tensor z_pitch = call.In("z_pitch");
  MidiDecoder decoder(NetOf(call, z_pitch));
  Unwrap(UseParameters(decoder, call.Params()));
  return decoder.Forward(z_pitch);
}

NamedTensors MidiToHarmonicCase(Call& call) {
  const Tensor z_pitch = call.In("z_pitch");
  MidiToHarmonicDecoder decoder(NetOf(call, z_pitch), SplitsOf(call));
  Unwrap(UseParameters(decoder, call.Params()));
  return decoder.Forward(z_pitch);
}

}  // namespace

const AdapterEntry kDecoderAdapters[] = {
    {"decoders.DilatedConvDecoder", DilatedConvDecoderCase},
    {"decoders.MidiDecoder", MidiDecoderCase},
    {"decoders.MidiToHarmonicDecoder", MidiToHarmonicCase},
    {nullptr, nullptr},
};

}  // namespace ddsp::golden
