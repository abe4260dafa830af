// Encoders and decoders of upstream's training/encoders.py and decoders.py.
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/dsp/argument.h"
#include "core/dsp/spectrogram.h"
#include "core/dsp/units.h"
#include "core/graph/layer_form.h"
#include "core/graph/module_tables.h"
#include "core/nn/conv_decoders.h"
#include "core/nn/encoders.h"
#include "core/nn/resnet.h"
#include "core/nn/rnn_fc_decoder.h"

namespace ddsp {
namespace {

using at::Tensor;
using Tensors = std::vector<Tensor>;

std::vector<Port> PortsOf(const std::vector<std::string>& keys) {
  std::vector<Port> ports;
  for (const std::string& key : keys) ports.push_back({.name = key});
  return ports;
}

// The tensors of a dictionary in the order of `names`.
Tensors InOrder(const NamedTensors& named, const std::vector<std::string>& names) {
  Tensors tensors;
  for (const std::string& name : names) tensors.push_back(named.at(name));
  return tensors;
}

template <typename StatusOrT>
auto OrThrow(StatusOrT value) {
  DDSP_CHECK_ARGUMENT(value.ok(), value.status().message());
  return *std::move(value);
}

std::vector<std::string> NamesOf(const NamedSizes& splits) {
  std::vector<std::string> names;
  for (const auto& [name, size] : splits) names.push_back(name);
  return names;
}

std::vector<RnnFcDecoder::Feature> FeaturesOf(const NamedSizes& splits) {
  std::vector<RnnFcDecoder::Feature> features;
  for (const auto& [name, size] : splits) features.push_back({name, size});
  return features;
}

std::vector<std::string> ReadKeys(ArgReader& args, const std::string& name, const std::vector<std::string>& fallback) {
  std::vector<std::string> keys = args.Texts(name, fallback);
  if (keys.empty()) args.Reject(name + " is empty, expected one key or more");
  return keys;
}

RnnType ReadRnnType(ArgReader& args) { return args.Accept(ParseRnnType(args.Text("rnn_type", "gru"))); }

// What every encoder of a z has last: it tells the number of time steps.
constexpr char kTimeKey[] = "f0_scaled";

// ---------------------------------------------------------------- encoders

template <typename Encoder>
LayerForm AudioEncoderForm(const typename Encoder::Options& options) {
  LayerForm form;
  form.inputs = PortsOf({"audio", kTimeKey});
  form.results = {"z"};
  form.naming = Naming::kByLayer;
  form.keys = KeyArguments::kInputs;
  form.kept_inputs = 1;
  form.build = [=](const Tensors& inputs) {
    ChannelsOf(inputs[0], "audio");
    ChannelsOf(inputs[1], kTimeKey);
    auto encoder = std::make_shared<Encoder>(options);
    return BuiltLayer{encoder, [=](const Tensors& in) { return Tensors{encoder->Forward(in[0], in[1].size(1))}; },
                      options.z_dims};
  };
  return form;
}

LayerForm TimeDistributedForm(ArgReader& args) {
  MfccTimeDistributedRnnEncoder::Options options;
  options.rnn_channels = args.Int("rnn_channels", options.rnn_channels, 1);
  options.rnn_type = ReadRnnType(args);
  options.z_dims = args.Int("z_dims", options.z_dims, 1);
  options.z_time_steps = args.Int("z_time_steps", options.z_time_steps, 1);
  return AudioEncoderForm<MfccTimeDistributedRnnEncoder>(options);
}

LayerForm MfccRnnForm(ArgReader& args) {
  MfccRnnEncoder::Options options;
  options.rnn_channels = args.Int("rnn_channels", options.rnn_channels, 1);
  options.rnn_type = ReadRnnType(args);
  options.z_dims = args.Int("z_dims", options.z_dims, 1);
  if (!args.Flag("mean_aggregate", false)) args.Reject("mean_aggregate is false, with which upstream's fails");
  return AudioEncoderForm<MfccRnnEncoder>(options);
}

LayerForm AggregateForm(ArgReader& args) {
  const int64_t ch = args.Int("ch", 512, 1);
  LayerForm form;
  form.inputs = {{.name = "f0_scaled"}, {.name = "ld_scaled"}, {.name = kTimeKey, .required = false}};
  form.results = {"z"};
  form.naming = Naming::kByLayer;
  form.keys = KeyArguments::kInputs;
  form.kept_inputs = 1;
  form.build = [=](const Tensors&) {
    auto encoder = std::make_shared<AggregateFeaturesEncoder>(ch);
    return BuiltLayer{encoder, [=](const Tensors& in) { return Tensors{encoder->Forward(in[0], in[1])}; }, ch};
  };
  return form;
}

LayerForm OneHotForm(ArgReader& args) {
  const int64_t vocab_size = args.Int("vocab_size", 1024, 1), dims = args.Int("n_dims", 256, 1);
  const bool expands = !args.Flag("skip_expand", true);
  LayerForm form;
  form.inputs = {{.name = args.Text("one_hot_key", "instrument")}, {.name = kTimeKey, .required = expands}};
  form.results = {"z"};
  form.naming = Naming::kByLayer;
  form.kept_inputs = 1;
  form.build = [=](const Tensors&) {
    auto encoder = std::make_shared<OneHotEncoder>(vocab_size, dims);
    const auto forward = [=](const Tensors& in) {
      const Tensor z = encoder->Forward(in[0]);
      return Tensors{expands ? ExpandZ(z, in[1].size(1)) : z};
    };
    return BuiltLayer{encoder, forward, dims};
  };
  return form;
}

LayerForm SinusoidalToHarmonicForm(ArgReader& args) {
  const SinusoidalToHarmonicEncoder::Options options = ReadSinusoidalToHarmonic(args);
  LayerForm form;
  form.inputs = PortsOf({"sin_freqs", "sin_amps"});
  form.results = {"harm_amp", "harm_dist", "f0_hz"};
  form.naming = Naming::kByLayer;
  form.keys = KeyArguments::kInputsAndOutputs;
  form.build = [=, results = form.results](const Tensors& inputs) {
    SinusoidalToHarmonicEncoder::Options fitting = options;
    fitting.net.in = ChannelsOf(inputs[0], "sin_freqs") + ChannelsOf(inputs[1], "sin_amps");
    auto encoder = std::make_shared<SinusoidalToHarmonicEncoder>(fitting);
    return BuiltLayer{encoder, [=](const Tensors& in) { return InOrder(encoder->Forward(in[0], in[1]), results); }};
  };
  return form;
}

// A residual network over a mel spectrogram, and a dense layer for each output.
class ResnetSinusoids : public Layer {
 public:
  ResnetSinusoids(const MelOptions& mel, ResNetSize size, const NamedSizes& splits) : mel_(mel), resnet_({size}) {
    const int64_t channels = ResNet::OutBins(mel.bins) * resnet_.out_channels();
    for (const auto& [name, outputs] : splits) dense_outs_.emplace_back(channels, outputs);
  }
  Tensors Forward(const Tensor& audio) const {
    const Tensor x = resnet_.Forward(ComputeLogmel(audio, mel_).unsqueeze(-1)).flatten(2);
    Tensors outputs;
    for (const Dense& dense : dense_outs_) outputs.push_back(dense.Forward(x));
    return outputs;
  }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override {
    resnet_.VisitParameters(prefix + "resnet/", visit);
    for (size_t i = 0; i < dense_outs_.size(); ++i) {
      dense_outs_[i].VisitParameters(absl::StrCat(prefix, "dense_outs/", i, "/"), visit);
    }
  }

 private:
  const MelOptions mel_;
  ResNet resnet_;
  std::vector<Dense> dense_outs_;
};

// Upstream's default size is one that it does not know.
LayerForm ResnetSinusoidalForm(ArgReader& args) {
  const NamedSizes splits =
      args.Sizes("output_splits", {{"frequencies", 6400}, {"amplitudes", 100}, {"noise_magnitudes", 60}});
  const ResNetSize size = args.Accept(ParseResNetSize(args.Text("size", "small")));
  ExpectText(args, "spectral_fn", "compute_logmel");
  ArgReader of_mel = args.Nested("spectral_fn");
  MelOptions mel{of_mel.Number("lo_hz", 80),
                 of_mel.Number("hi_hz", 7600),
                 of_mel.Int("bins", 64, 1),
                 of_mel.Positive("sample_rate", 16000),
                 {}};
  mel.stft.frame_size = of_mel.Int("fft_size", mel.stft.frame_size, 8);
  mel.stft.overlap = of_mel.Number("overlap", mel.stft.overlap);
  if (!(mel.stft.overlap >= 0 && mel.stft.overlap < 1)) of_mel.Reject("overlap leaves no hop");
  if (!of_mel.Flag("pad_end", true)) mel.stft.padding = FramePadding::kValid;
  LayerForm form;
  form.inputs = PortsOf({"audio"});
  form.results = NamesOf(splits);
  form.naming = Naming::kByLayer;
  form.keys = KeyArguments::kInputs;
  form.build = [=](const Tensors&) {
    auto encoder = std::make_shared<ResnetSinusoids>(mel, size, splits);
    return BuiltLayer{encoder, [=](const Tensors& in) { return encoder->Forward(in[0]); }};
  };
  return form;
}

// ---------------------------------------------------------------- a net with a head

// A net, normalised and projected: the body of everything that upstream gives a `net`.
class NetWithHead : public Layer {
 public:
  NetWithHead(BuiltLayer net, bool normalized, int64_t out) : net_(std::move(net)), dense_out_(net_.channels, out) {
    if (normalized) norm_.emplace(net_.channels, NormType::kLayer);
  }
  Tensor Forward(const Tensors& inputs) const {
    const Tensor y = net_.forward(inputs).front();
    return dense_out_.Forward(norm_ ? norm_->Forward(y) : y);
  }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override {
    if (net_.layer != nullptr) net_.layer->VisitParameters(prefix + "net/", visit);
    if (norm_) norm_->VisitParameters(prefix + "norm/", visit);
    dense_out_.VisitParameters(prefix + "dense_out/", visit);
  }

 private:
  BuiltLayer net_;
  std::optional<Normalize> norm_;
  Dense dense_out_;
};

// x, and z where the net takes it.
std::shared_ptr<NetWithHead> BuildNet(const LayerForm& net, const Tensors& inputs, bool normalized, int64_t out) {
  DDSP_CHECK_ARGUMENT(inputs.size() == net.inputs.size(), inputs.size() == 1
                                                              ? "the net is conditional, and there is no z"
                                                              : "there is a z, and the net is not "
                                                                "conditional");
  BuiltLayer built = net.build(inputs);
  DDSP_CHECK_ARGUMENT(built.channels > 0, "the net is of a kind that cannot be a part of another layer");
  return std::make_shared<NetWithHead>(std::move(built), normalized, out);
}

// Pitch, and whatever goes along, to notes: z_pitch, z_vel.
LayerForm NoteEncoderForm(ArgReader& args, const std::vector<std::string>& keys) {
  const LayerForm net = ReadInnerLayer(args, "net");
  const bool residual = args.Flag("f0_residual", true);
  LayerForm form;
  form.inputs = PortsOf(keys);
  form.results = {"z_pitch", "z_vel"};
  form.naming = Naming::kByLayer;
  form.keys = KeyArguments::kInputsAndOutputs;
  form.build = [=](const Tensors& inputs) {
    auto layer = BuildNet(net, {at::cat(inputs, -1)}, /*normalized=*/true, /*out=*/2);
    const auto forward = [=](const Tensors& in) {
      const Tensor y = layer->Forward({at::cat(in, -1)}), pitch = y.narrow(-1, 0, 1);
      return Tensors{residual ? pitch + in[0] : pitch, y.narrow(-1, 1, 1)};
    };
    return BuiltLayer{layer, forward};
  };
  return form;
}

LayerForm ExpressionForm(ArgReader& args) {
  const LayerForm net = ReadInnerLayer(args, "net");
  const int64_t z_dims = args.Int("z_dims", 128, 1);
  const bool pools = args.Flag("pool_time", true);
  const std::vector<std::string> keys = ReadKeys(args, "input_keys", {"f0_scaled", "ld_scaled"});
  if (std::find(keys.begin(), keys.end(), "audio") != keys.end()) {
    args.Reject("input_keys has audio, with which upstream's fails");
  }
  for (const char* unused : {"mfcc_bins", "fft_size", "mel_bins"}) args.Int(unused, 1, 1);  // of audio
  LayerForm form;
  form.inputs = PortsOf(keys);
  form.inputs.push_back({.name = kTimeKey});
  form.results = {"z"};
  form.naming = Naming::kByLayer;
  form.kept_inputs = 1;
  form.build = [=](const Tensors& inputs) {
    const auto features = [](const Tensors& in) { return at::cat(Tensors(in.begin(), in.end() - 1), -1); };
    ChannelsOf(inputs.back(), kTimeKey);
    auto layer = BuildNet(net, {features(inputs)}, /*normalized=*/true, z_dims);
    const auto forward = [=](const Tensors& in) {
      const Tensor z = layer->Forward({features(in)});
      return Tensors{ExpandZ(pools ? z.mean(1, /*keepdim=*/true) : z, in.back().size(1))};
    };
    return BuiltLayer{layer, forward, z_dims};
  };
  return form;
}

// ---------------------------------------------------------------- decoders

// z_pitch and, where the net is conditional, z; z_vel is taken and not used, as upstream.
struct NoteDecoder {
  LayerForm net;
  bool normalized, residual;
};

NoteDecoder ReadNoteDecoder(ArgReader& args) {
  return {ReadInnerLayer(args, "net"), args.Flag("norm", true), args.Flag("f0_residual", true)};
}

std::vector<Port> NotePorts() {
  return {{.name = "z_pitch"}, {.name = "z_vel", .required = false}, {.name = "z", .required = false}};
}

Tensors NoteInputs(const Tensors& in) { return in[2].defined() ? Tensors{in[0], in[2]} : Tensors{in[0]}; }

LayerForm MidiDecoderForm(ArgReader& args) {
  const NoteDecoder decoder = ReadNoteDecoder(args);
  const bool centers = args.Flag("center_loudness", true);
  LayerForm form;
  form.inputs = NotePorts();
  form.results = {"f0_midi", "loudness"};
  form.naming = Naming::kByLayer;
  form.keys = KeyArguments::kInputsAndOutputs;
  form.build = [=](const Tensors& inputs) {
    auto layer = BuildNet(decoder.net, NoteInputs(inputs), decoder.normalized, /*out=*/2);
    const auto forward = [=](const Tensors& in) {
      const Tensor y = layer->Forward(NoteInputs(in)), pitch = y.narrow(-1, 0, 1), loudness = y.narrow(-1, 1, 1);
      return Tensors{decoder.residual ? pitch + in[0] : pitch, centers ? loudness * 30.0 - 70.0 : loudness};
    };
    return BuiltLayer{layer, forward};
  };
  return form;
}

LayerForm MidiToHarmonicForm(ArgReader& args) {
  const NoteDecoder decoder = ReadNoteDecoder(args);
  const NamedSizes splits = args.Sizes(
      "output_splits", {{"f0_midi", 1}, {"amplitudes", 1}, {"harmonic_distribution", 60}, {"magnitudes", 65}});
  const MidiZero zero = args.Flag("midi_zero_silence", true) ? MidiZero::kIsSilence : MidiZero::kIsPitch;
  LayerForm form;
  form.inputs = NotePorts();
  form.results = NamesOf(splits);
  if (std::find(form.results.begin(), form.results.end(), "f0_midi") == form.results.end()) {
    args.Reject("output_splits has no f0_midi");
  }
  form.results.push_back("f0_hz");
  form.naming = Naming::kByLayer;
  form.keys = KeyArguments::kInputs;
  int64_t channels = 0;
  for (const auto& [name, size] : splits) channels += size;
  form.build = [=, results = form.results](const Tensors& inputs) {
    auto layer = BuildNet(decoder.net, NoteInputs(inputs), decoder.normalized, channels);
    const auto forward = [=](const Tensors& in) {
      NamedTensors outputs = SplitChannels(layer->Forward(NoteInputs(in)), FeaturesOf(splits));
      if (decoder.residual) outputs["f0_midi"] = outputs["f0_midi"] + in[0];
      outputs["f0_hz"] = MidiToHz(outputs["f0_midi"], zero);
      return InOrder(outputs, results);
    };
    return BuiltLayer{layer, forward};
  };
  return form;
}

std::vector<RnnFcDecoder::Feature> FeaturesOf(const std::vector<std::string>& keys, const Tensors& inputs,
                                              size_t begin) {
  std::vector<RnnFcDecoder::Feature> features;
  for (size_t i = 0; i < keys.size(); ++i) features.push_back({keys[i], ChannelsOf(inputs[begin + i], keys[i])});
  return features;
}

NamedTensors ByName(const std::vector<std::string>& keys, const Tensors& inputs) {
  NamedTensors named;
  for (size_t i = 0; i < keys.size(); ++i) named[keys[i]] = inputs[i];
  return named;
}

// Where it is stateless, the state comes and goes last.
LayerForm RnnFcDecoderForm(ArgReader& args) {
  RnnFcDecoder::Options options;
  options.rnn_channels = args.Int("rnn_channels", options.rnn_channels, 1);
  options.rnn_type = ReadRnnType(args);
  options.ch = args.Int("ch", options.ch, 1);
  options.layers_per_stack = ReadCount(args, "layers_per_stack", options.layers_per_stack, 0);
  const std::vector<std::string> keys = ReadKeys(args, "input_keys", {"ld_scaled", "f0_scaled", "z"});
  const NamedSizes splits = args.Sizes("output_splits", {{"amps", 1}, {"harmonic_distribution", 40}});
  options.output_splits = FeaturesOf(splits);
  const bool stateless = args.Flag("stateless", false);
  LayerForm form;
  form.inputs = PortsOf(keys);
  form.results = NamesOf(splits);
  if (stateless) {
    if (options.rnn_type != RnnType::kGru) args.Reject("rnn_type is lstm, whose state cannot be carried");
    form.inputs.push_back({.name = "state"});
    form.results.push_back("state");
  }
  form.naming = Naming::kByLayer;
  form.build = [=, names = NamesOf(splits)](const Tensors& inputs) {
    RnnFcDecoder::Options fitting = options;
    fitting.inputs = FeaturesOf(keys, inputs, 0);
    std::shared_ptr<RnnFcDecoder> decoder = OrThrow(RnnFcDecoder::Create(fitting));
    const auto forward = [=](const Tensors& in) {
      const auto output = OrThrow(decoder->Forward(ByName(keys, in), stateless ? in.back() : Tensor()));
      Tensors results = InOrder(output.controls, names);
      if (stateless) results.push_back(output.state);
      return results;
    };
    return BuiltLayer{decoder, forward};
  };
  return form;
}

LayerForm DilatedConvDecoderForm(ArgReader& args) {
  DilatedConvDecoder::Options options;
  options.stack = ReadStack(args, "layer");
  if (options.stack.resample_stride > 1) options.stack.resample = DilatedConvStack::Resample::kUp;
  const std::vector<std::string> keys = ReadKeys(args, "input_keys", {"ld_scaled", "f0_scaled"}),
                                 conditioning = args.Texts("conditioning_keys", {"z"});
  const NamedSizes splits = args.Sizes("output_splits", {{"amps", 1}, {"harmonic_distribution", 60}});
  options.output_splits = FeaturesOf(splits);
  if (const std::string precondition = args.Text("precondition_stack", ""); !precondition.empty()) {
    if (!MeansClass(precondition, "nn.FcStack")) {
      args.Reject(absl::StrCat("precondition_stack is ", precondition, ", expected nn.FcStack"));
    }
    if (conditioning.empty()) args.Reject("there is a precondition_stack, but no conditioning_keys");
    ArgReader of_stack = args.Nested("precondition_stack");
    options.precondition_ch = of_stack.Int("ch", 256, 1);
    options.precondition_layers = ReadCount(of_stack, "layers", 2, 0);
  }
  LayerForm form;
  std::vector<std::string> all = keys;
  all.insert(all.end(), conditioning.begin(), conditioning.end());
  form.inputs = PortsOf(all);
  form.results = NamesOf(splits);
  form.naming = Naming::kByLayer;
  form.build = [=, results = form.results](const Tensors& inputs) {
    DilatedConvDecoder::Options fitting = options;
    fitting.inputs = FeaturesOf(keys, inputs, 0);
    fitting.conditioning = FeaturesOf(conditioning, inputs, keys.size());
    auto decoder = std::make_shared<DilatedConvDecoder>(fitting);
    return BuiltLayer{decoder,
                      [=](const Tensors& in) { return InOrder(OrThrow(decoder->Forward(ByName(all, in))), results); }};
  };
  return form;
}

constexpr LayerClass kClasses[] = {
    {"decoders.DilatedConvDecoder", DilatedConvDecoderForm},
    {"decoders.MidiDecoder", MidiDecoderForm},
    {"decoders.MidiToHarmonicDecoder", MidiToHarmonicForm},
    {"decoders.RnnFcDecoder", RnnFcDecoderForm},
    {"encoders.AggregateFeaturesEncoder", AggregateForm},
    {"encoders.ExpressionEncoder", ExpressionForm},
    {"encoders.HarmonicToMidiEncoder",
     [](ArgReader& args) {
       return NoteEncoderForm(args, {"f0_midi", "amps", "hd", "noise"});
     }},
    {"encoders.MfccRnnEncoder", MfccRnnForm},
    {"encoders.MfccTimeDistributedRnnEncoder", TimeDistributedForm},
    {"encoders.MidiEncoder",
     [](ArgReader& args) {
       return NoteEncoderForm(args, {"f0_midi", "loudness"});
     }},
    {"encoders.OneHotEncoder", OneHotForm},
    {"encoders.ResnetSinusoidalEncoder", ResnetSinusoidalForm},
    {"encoders.SinusoidalToHarmonicEncoder", SinusoidalToHarmonicForm},
};

}  // namespace

SinusoidalToHarmonicEncoder::Options ReadSinusoidalToHarmonic(ArgReader& args) {
  SinusoidalToHarmonicEncoder::Options options;
  const std::string net = args.Text("net", "");
  if (!MeansClass(net, "nn.RnnSandwich")) args.Reject(absl::StrCat("net is '", net, "', expected nn.RnnSandwich"));
  ArgReader of_net = args.Nested("net");
  options.net.fc_stack_ch = of_net.Int("fc_stack_ch", options.net.fc_stack_ch, 1);
  options.net.fc_stack_layers = ReadCount(of_net, "fc_stack_layers", options.net.fc_stack_layers, 0);
  options.net.rnn_ch = of_net.Int("rnn_ch", options.net.rnn_ch, 1);
  options.net.rnn_type = ReadRnnType(of_net);
  options.n_harmonics = args.Int("n_harmonics", options.n_harmonics, 1);
  options.f0_depth = args.Int("f0_depth", options.f0_depth, 1);
  options.sample_rate = args.Positive("sample_rate", options.sample_rate);
  ExpectText(args, "amp_scale_fn", "exp_sigmoid");
  return options;
}

absl::Span<const LayerClass> CoderLayers() { return kClasses; }

}  // namespace ddsp
