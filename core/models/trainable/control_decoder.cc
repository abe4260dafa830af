#include "core/models/trainable/control_decoder.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/nn/conv_decoders.h"
#include "core/nn/rnn_fc_decoder.h"

namespace ddsp {
namespace {

using Feature = RnnFcDecoder::Feature;

std::vector<Feature> FeaturesOf(const std::vector<std::string>& keys, const FeatureChannels& channels) {
  std::vector<Feature> features;
  for (const std::string& key : keys) {
    const auto it = channels.find(key);
    features.push_back({key, it == channels.end() ? 1 : it->second});
  }
  return features;
}

std::vector<Feature> ReadOutputs(GinArguments& args, const GinArguments::Splits& fallback, FeatureChannels* outputs) {
  std::vector<Feature> splits;
  for (const auto& [name, channels] : args.ReadSplits("output_splits", fallback)) {
    splits.push_back({name, channels});
    (*outputs)[name] = channels;
  }
  return splits;
}

class RnnFc : public ControlDecoder {
 public:
  RnnFc(std::unique_ptr<RnnFcDecoder> decoder, FeatureChannels outputs)
      : decoder_(std::move(decoder)), outputs_(std::move(outputs)) {}
  absl::StatusOr<NamedTensors> Decode(const NamedTensors& features) const override {
    ASSIGN_OR_RETURN(RnnFcDecoder::Output output, decoder_->Forward(features));
    return std::move(output.controls);
  }
  const FeatureChannels& outputs() const override { return outputs_; }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override {
    decoder_->VisitParameters(prefix, visit);
  }

 private:
  std::unique_ptr<RnnFcDecoder> decoder_;
  const FeatureChannels outputs_;
};

class DilatedConv : public ControlDecoder {
 public:
  DilatedConv(const DilatedConvDecoder::Options& options, FeatureChannels outputs)
      : decoder_(options), outputs_(std::move(outputs)) {}
  absl::StatusOr<NamedTensors> Decode(const NamedTensors& features) const override {
    return decoder_.Forward(features);
  }
  const FeatureChannels& outputs() const override { return outputs_; }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override {
    decoder_.VisitParameters(prefix, visit);
  }

 private:
  DilatedConvDecoder decoder_;
  const FeatureChannels outputs_;
};

std::unique_ptr<ControlDecoder> MakeRnnFc(GinArguments& args, const FeatureChannels& channels) {
  RnnFcDecoder::Options options;
  options.rnn_channels = args.Int("rnn_channels", 512, 1);
  options.rnn_type = args.Accept("rnn_type", ParseRnnType(args.Text("rnn_type", "gru")));
  options.ch = args.Int("ch", 512, 1);
  options.layers_per_stack = args.Int("layers_per_stack", 3, 0);
  args.ExpectFlag("stateless", false, false);
  options.inputs = FeaturesOf(args.Texts("input_keys", {"ld_scaled", "f0_scaled", "z"}), channels);
  FeatureChannels outputs;
  options.output_splits = ReadOutputs(args, {{"amps", 1}, {"harmonic_distribution", 40}}, &outputs);
  std::unique_ptr<RnnFcDecoder> decoder = args.Accept("input_keys", RnnFcDecoder::Create(options));
  if (decoder == nullptr) return nullptr;
  return std::make_unique<RnnFc>(std::move(decoder), std::move(outputs));
}

std::unique_ptr<ControlDecoder> MakeDilatedConv(GinArguments& args, const FeatureChannels& channels) {
  DilatedConvDecoder::Options options;
  options.stack.ch = args.Int("ch", 256, 1);
  options.stack.kernel_size = args.Int("kernel_size", 3, 1);
  options.stack.layers_per_stack = args.Int("layers_per_stack", 5, 1);
  options.stack.stacks = args.Int("stacks", 2, 1);
  options.stack.dilation = args.Int("dilation", 2, INT64_MIN);
  options.stack.norm_type = args.Accept("norm_type", ParseNormType(args.Text("norm_type", "layer")));
  options.stack.resample_stride = args.Int("resample_stride", 1, 1);
  options.stack.stacks_per_resample = args.Int("stacks_per_resample", 1, 1);
  if (!args.Flag("resample_after_convolve", true)) {
    options.stack.resample_order = DilatedConvStack::ResampleOrder::kBeforeConvolve;
  }
  if (options.stack.resample_stride > 1) options.stack.resample = DilatedConvStack::Resample::kUp;
  if (args.Flag("spectral_norm", false)) options.stack.kernel_norm = DilatedConvStack::KernelNorm::kSpectral;
  if (args.Flag("ortho_init", false)) options.stack.kernel_initializer = Initializer::kOrthogonal;
  options.inputs = FeaturesOf(args.Texts("input_keys", {"ld_scaled", "f0_scaled"}), channels);
  options.conditioning = FeaturesOf(args.Texts("conditioning_keys", {"z"}), channels);
  if (std::optional<GinArguments> stack = args.Child("precondition_stack")) {
    if (options.conditioning.empty()) args.Reject("precondition_stack", "is given, but there are no conditioning_keys");
    if (stack->class_name() != "nn.FcStack") stack->Reject("a precondition_stack is an nn.FcStack here");
    options.precondition_ch = stack->Int("ch", 256, 1);
    options.precondition_layers = stack->Int("layers", 2, 1);
    stack->Finish();
  }
  FeatureChannels outputs;
  options.output_splits = ReadOutputs(args, {{"amps", 1}, {"harmonic_distribution", 60}}, &outputs);
  return std::make_unique<DilatedConv>(options, std::move(outputs));
}

}  // namespace

std::unique_ptr<ControlDecoder> ControlDecoderFromGin(GinArguments& args, const FeatureChannels& channels) {
  std::unique_ptr<ControlDecoder> decoder;
  if (args.class_name() == "decoders.RnnFcDecoder") {
    decoder = MakeRnnFc(args, channels);
  } else if (args.class_name() == "decoders.DilatedConvDecoder") {
    decoder = MakeDilatedConv(args, channels);
  } else {
    if (!args.class_name().empty()) args.Reject(absl::StrCat(args.class_name(), " is no decoder of controls here"));
    return nullptr;
  }
  args.Ignore({"output_keys"});
  args.Finish();
  return decoder;
}

}  // namespace ddsp
