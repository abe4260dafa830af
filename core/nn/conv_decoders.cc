#include "core/nn/conv_decoders.h"

#include "core/base/status_macros.h"
#include "core/dsp/argument.h"
#include "core/dsp/units.h"

namespace ddsp {
namespace {

using Features = std::vector<RnnFcDecoder::Feature>;

int64_t Channels(const Features& features) {
  int64_t channels = 0;
  for (const auto& feature : features) channels += feature.channels;
  return channels;
}

DilatedConvStack::Options StackOf(const DilatedConvDecoder::Options& options) {
  DilatedConvStack::Options stack = options.stack;
  stack.in = Channels(options.inputs);
  stack.z_channels = options.precondition_layers > 0 ? options.precondition_ch : Channels(options.conditioning);
  return stack;
}

absl::StatusOr<at::Tensor> Concatenated(const NamedTensors& inputs, const Features& features) {
  std::vector<at::Tensor> parts;
  for (const auto& feature : features) {
    ASSIGN_OR_RETURN(const at::Tensor part, Lookup(inputs, feature.key));
    parts.push_back(part);
  }
  if (parts.empty()) return at::Tensor();
  return CatchTorch([&] { return at::cat(parts, -1); });
}

}  // namespace

NamedTensors SplitChannels(const at::Tensor& x, const Features& splits) {
  NamedTensors pieces;
  int64_t start = 0;
  for (const auto& split : splits) {
    pieces[split.key] = x.narrow(-1, start, split.channels);
    start += split.channels;
  }
  return pieces;
}

DilatedConvDecoder::DilatedConvDecoder(const Options& options)
    : options_(options),
      precondition_(Channels(options.conditioning), options.precondition_ch, options.precondition_layers),
      stack_(StackOf(options)),
      dense_out_(options.stack.ch, Channels(options.output_splits)) {}

absl::StatusOr<NamedTensors> DilatedConvDecoder::Forward(const NamedTensors& inputs) const {
  ASSIGN_OR_RETURN(const at::Tensor x, Concatenated(inputs, options_.inputs));
  ASSIGN_OR_RETURN(const at::Tensor z, Concatenated(inputs, options_.conditioning));
  return CatchTorch([&] {
    const at::Tensor conditioning = z.defined() ? precondition_.Forward(z) : z;
    return SplitChannels(dense_out_.Forward(stack_.Forward(x, conditioning)), options_.output_splits);
  });
}

void DilatedConvDecoder::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  precondition_.VisitParameters(prefix + "precondition_stack/", visit);
  stack_.VisitParameters(prefix + "dilated_conv_stack/", visit);
  dense_out_.VisitParameters(prefix + "dense_out/", visit);
}

MidiDecoder::MidiDecoder(const DilatedConvStack::Options& net)
    : net_(net), norm_(net.ch, NormType::kLayer), dense_out_(net.ch, 2) {}

NamedTensors MidiDecoder::Forward(const at::Tensor& z_pitch) const {
  const at::Tensor x = dense_out_.Forward(norm_.Forward(net_.Forward(z_pitch)));
  return {{"f0_midi", x.narrow(-1, 0, 1) + z_pitch}, {"loudness", x.narrow(-1, 1, 1) * 30 - 70}};
}

void MidiDecoder::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  net_.VisitParameters(prefix + "net/", visit);
  norm_.VisitParameters(prefix + "norm/", visit);
  dense_out_.VisitParameters(prefix + "dense_out/", visit);
}

MidiToHarmonicDecoder::MidiToHarmonicDecoder(const DilatedConvStack::Options& net, Features output_splits)
    : output_splits_(std::move(output_splits)),
      net_(net),
      norm_(net.ch, NormType::kLayer),
      dense_out_(net.ch, Channels(output_splits_)) {}

NamedTensors MidiToHarmonicDecoder::Forward(const at::Tensor& z_pitch, const at::Tensor& z) const {
  NamedTensors outputs = SplitChannels(dense_out_.Forward(norm_.Forward(net_.Forward(z_pitch, z))), output_splits_);
  DDSP_CHECK_ARGUMENT(outputs.contains("f0_midi"), "output_splits has no f0_midi");
  outputs["f0_midi"] = outputs["f0_midi"] + z_pitch;
  outputs["f0_hz"] = MidiToHz(outputs["f0_midi"], MidiZero::kIsSilence);
  return outputs;
}

void MidiToHarmonicDecoder::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  net_.VisitParameters(prefix + "net/", visit);
  norm_.VisitParameters(prefix + "norm/", visit);
  dense_out_.VisitParameters(prefix + "dense_out/", visit);
}

}  // namespace ddsp
