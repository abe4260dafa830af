// Layers of Keras itself that have a state or hold other layers, and those that have no place in a graph.
#include <ATen/core/grad_mode.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/dsp/argument.h"
#include "core/graph/layer_form.h"
#include "core/graph/module_tables.h"
#include "core/nn/rnn.h"

namespace ddsp {
namespace {

using at::Tensor;
using Tensors = std::vector<Tensor>;

// ---------------------------------------------------------------- recurrent layers

struct KerasRnnOptions {
  RnnType type = RnnType::kGru;
  int64_t units = 1;
  bool return_sequences = false, return_state = false, go_backwards = false;
};

KerasRnnOptions ReadRnn(ArgReader& args, RnnType type) {
  KerasRnnOptions options{type, ReadRequired(args, "units"), args.Flag("return_sequences", false),
                          args.Flag("return_state", false), args.Flag("go_backwards", false)};
  ExpectText(args, "activation", "tanh");
  ExpectText(args, "recurrent_activation", "sigmoid");
  ExpectText(args, "kernel_initializer", "glorot_uniform");
  ExpectText(args, "recurrent_initializer", "orthogonal");
  ExpectText(args, "bias_initializer", "zeros");
  const auto expect = [&](const char* name, bool only) {
    if (args.Flag(name, only) != only) {
      args.Reject(absl::StrCat(name, " is ", only ? "false" : "true", ", which a graph cannot do"));
    }
  };
  expect("use_bias", true);
  expect("stateful", false);
  expect("time_major", false);
  expect("unroll", false);
  expect(type == RnnType::kGru ? "reset_after" : "unit_forget_bias", true);
  for (const char* name : {"dropout", "recurrent_dropout"}) args.Number(name, 0);  // of training
  if (options.return_state && type == RnnType::kLstm) args.Reject("return_state is true, which a graph cannot do");
  return options;
}

// Upstream: tfkl.GRU, tfkl.LSTM. Backwards, the sequence is in the order of the steps taken.
class KerasRnn : public Layer {
 public:
  KerasRnn(int64_t in, const KerasRnnOptions& options) : options_(options), cell_(in, options.units, options.type) {}
  // The sequence or its last step; and the state where it is asked for.
  Tensors Forward(const Tensor& x) const {
    const RnnOutput output = cell_.Forward(options_.go_backwards && x.dim() > 1 ? x.flip(1) : x);
    Tensors results = {options_.return_sequences ? output.sequence : output.sequence.select(1, -1)};
    if (options_.return_state) results.push_back(output.state);
    return results;
  }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override {
    cell_.VisitParameters(prefix, visit);
  }

 private:
  const KerasRnnOptions options_;
  RnnCell cell_;
};

template <RnnType type>
LayerForm RnnForm(ArgReader& args) {
  const KerasRnnOptions options = ReadRnn(args, type);
  LayerForm form;
  if (options.return_state) form.results = {"out", "state"};
  form.build = [=](const Tensors& inputs) {
    auto layer = std::make_shared<KerasRnn>(ChannelsOf(inputs[0], "x"), options);
    return BuiltLayer{layer, [=](const Tensors& in) { return layer->Forward(in[0]); }, options.units};
  };
  return form;
}

// ---------------------------------------------------------------- layers of layers

enum class Merge { kConcat, kSum, kMul, kAve };

Merge ReadMerge(ArgReader& args) {
  const std::string name = args.Text("merge_mode", "concat");
  if (name == "sum") return Merge::kSum;
  if (name == "mul") return Merge::kMul;
  if (name == "ave") return Merge::kAve;
  if (name != "concat") {
    args.Reject(absl::StrCat("merge_mode is '", name, "', expected concat, sum, mul or ave"));
  }
  return Merge::kConcat;
}

// A recurrent layer and one that runs from the end. Upstream: tfkl.Bidirectional.
class Bidirectional : public Layer {
 public:
  Bidirectional(int64_t in, KerasRnnOptions options, Merge merge)
      : merge_(merge), sequences_(options.return_sequences), forward_(in, options), backward_(in, Reversed(options)) {}
  Tensor Forward(const Tensor& x) const {
    const Tensor a = forward_.Forward(x)[0], last = backward_.Forward(x)[0], b = sequences_ ? last.flip(1) : last;
    switch (merge_) {
      case Merge::kConcat:
        break;
      case Merge::kSum:
        return a + b;
      case Merge::kMul:
        return a * b;
      case Merge::kAve:
        return (a + b) / 2;
    }
    return at::cat({a, b}, -1);
  }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override {
    forward_.VisitParameters(prefix + "forward_layer/", visit);
    backward_.VisitParameters(prefix + "backward_layer/", visit);
  }

 private:
  static KerasRnnOptions Reversed(KerasRnnOptions options) {
    options.go_backwards = true;
    return options;
  }
  const Merge merge_;
  const bool sequences_;
  KerasRnn forward_, backward_;
};

LayerForm BidirectionalForm(ArgReader& args) {
  const std::string name = args.Text("layer", "");
  const bool gru = MeansClass(name, "keras.layers.GRU"), lstm = MeansClass(name, "keras.layers.LSTM");
  if (name.empty() || !(gru || lstm)) {
    args.Reject(absl::StrCat("layer is '", name, "', expected tf.keras.layers.GRU or LSTM"));
    return {};
  }
  ArgReader inner = args.Nested("layer");
  const KerasRnnOptions options = ReadRnn(inner, gru ? RnnType::kGru : RnnType::kLstm);
  if (options.return_state || options.go_backwards) {
    inner.Reject("return_state or go_backwards is true, which two directions at once cannot do");
  }
  const Merge merge = ReadMerge(args);
  return OneToOne([=](int64_t channels) {
    return Built<Bidirectional>((merge == Merge::kConcat ? 2 : 1) * options.units, channels, options, merge);
  });
}

// A layer whose parameters stand below `prefix`.
class Prefixed : public Layer {
 public:
  Prefixed(std::string prefix, std::shared_ptr<Layer> layer) : prefix_(std::move(prefix)), layer_(std::move(layer)) {}
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override {
    if (layer_ != nullptr) layer_->VisitParameters(prefix + prefix_, visit);
  }

 private:
  const std::string prefix_;
  const std::shared_ptr<Layer> layer_;
};

LayerForm ReadOneToOne(ArgReader& args, const std::string& name) {
  LayerForm form = ReadInnerLayer(args, name);
  if (form.inputs.size() != 1) args.Reject(absl::StrCat(name, " takes ", form.inputs.size(), " tensors, expected one"));
  return form;
}

// Steps of time are taken for examples.
LayerForm TimeDistributedForm(ArgReader& args) {
  const LayerForm inner = ReadOneToOne(args, "layer");
  LayerForm form;
  form.build = [=](const Tensors& inputs) {
    const auto steps = [](const Tensor& x) {
      DDSP_CHECK_ARGUMENT(x.dim() >= 3, "x has shape ", x.sizes(), ", expected [batch, time, ...]");
      return x.flatten(0, 1);
    };
    const BuiltLayer built = inner.build({steps(inputs[0])});
    const auto forward = [=](const Tensors& in) {
      return Tensors{built.forward({steps(in[0])})[0].unflatten(0, {in[0].size(0), in[0].size(1)})};
    };
    return BuiltLayer{std::make_shared<Prefixed>("layer/", built.layer), forward, built.channels};
  };
  return form;
}

// One after the other. Upstream: tf.keras.Sequential.
class Sequence : public Layer {
 public:
  explicit Sequence(std::vector<BuiltLayer> layers) : layers_(std::move(layers)) {}
  Tensor Forward(const Tensor& x) const {
    Tensor y = x;
    for (const BuiltLayer& layer : layers_) y = layer.forward({y})[0];
    return y;
  }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override {
    int64_t with_weights = 0;
    for (const BuiltLayer& layer : layers_) {
      if (layer.layer == nullptr || CollectParameters(*layer.layer).empty()) continue;
      layer.layer->VisitParameters(absl::StrCat(prefix, "layer_with_weights-", with_weights++, "/"), visit);
    }
  }

 private:
  const std::vector<BuiltLayer> layers_;
};

LayerForm SequentialForm(ArgReader& args) {
  std::vector<LayerForm> forms;
  for (std::string name = "layers/0"; !args.Text(name, "").empty(); name = absl::StrCat("layers/", forms.size())) {
    forms.push_back(ReadOneToOne(args, name));
  }
  if (forms.empty()) args.Reject("layers is empty, expected one layer or more");
  LayerForm form;
  form.build = [forms](const Tensors& inputs) {
    // What a layer is given is known when those before it have run, with whatever values.
    const at::NoGradGuard no_grad;
    std::vector<BuiltLayer> layers;
    Tensor y = inputs[0];
    for (const LayerForm& inner : forms) {
      layers.push_back(inner.build({y}));
      y = layers.back().forward({y})[0];
    }
    const int64_t channels = y.dim() > 0 ? y.size(-1) : 0;
    return Built<Sequence>(channels, std::move(layers));
  };
  return form;
}

constexpr LayerClass kClasses[] = {
    {"keras.Sequential", SequentialForm},
    {"keras.layers.Bidirectional", BidirectionalForm},
    {"keras.layers.GRU", RnnForm<RnnType::kGru>},
    {"keras.layers.LSTM", RnnForm<RnnType::kLstm>},
    {"keras.layers.TimeDistributed", TimeDistributedForm},
};

// ---------------------------------------------------------------- what there is not

struct Absent {
  const char* reason;
  std::vector<const char*> names;
};

const std::vector<Absent>& AbsentLayers() {
  static const auto* const absent = new std::vector<Absent>{
      {"takes one list of tensors, and a node gives its inputs one by one; there are processors.Add and Mix",
       {"Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"}},
      {"attends to several tensors at once, which no layer of a graph does",
       {"AdditiveAttention", "Attention", "MultiHeadAttention"}},
      {"counts in whole numbers; use encoders.OneHotEncoder", {"Embedding"}},
      {"keeps values for each place in time, so that it fits one length alone",
       {"LocallyConnected1D", "LocallyConnected2D", "PReLU"}},
      {"is recurrent in a way that no model of DDSP is; there are GRU and LSTM",
       {"ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "GRUCell", "LSTMCell", "RNN", "SimpleRNN", "SimpleRNNCell",
        "StackedRNNCells"}},
      {"is a convolution of a kind that graphs do not have; there are Conv1D, Conv2D and their transposes, with groups",
       {"Conv3D", "Conv3DTranspose", "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D",
        "SeparableConvolution1D", "SeparableConvolution2D"}},
      {"is for images and volumes",
       {"AveragePooling3D",
        "CenterCrop",
        "Cropping2D",
        "Cropping3D",
        "GlobalAveragePooling2D",
        "GlobalAveragePooling3D",
        "GlobalMaxPooling2D",
        "GlobalMaxPooling3D",
        "MaxPooling3D",
        "RandomContrast",
        "RandomCrop",
        "RandomFlip",
        "RandomRotation",
        "RandomTranslation",
        "RandomZoom",
        "Rescaling",
        "Resizing",
        "SpatialDropout2D",
        "SpatialDropout3D",
        "UpSampling2D",
        "UpSampling3D",
        "ZeroPadding2D",
        "ZeroPadding3D"}},
      {"prepares words and categories",
       {"CategoryEncoding", "Discretization", "HashedCrossing", "Hashing", "IntegerLookup", "Normalization",
        "StringLookup", "TextVectorization"}},
      {"is code or a frame for code, not a layer that a configuration can give",
       {"InputLayer", "Lambda", "Layer", "Masking", "UnitNormalization", "Wrapper"}},
  };
  return *absent;
}

}  // namespace

absl::Span<const LayerClass> KerasContainers() { return kClasses; }

std::string WhyKerasHasNoPlace(const std::string& name) {
  for (const Absent& absent : AbsentLayers()) {
    for (const char* layer : absent.names) {
      if (!name.empty() && name.find('.') != std::string::npos &&
          MeansClass(name, absl::StrCat("keras.layers.", layer))) {
        return absl::StrCat("tf.keras.layers.", layer, " ", absent.reason);
      }
    }
  }
  return "";
}

}  // namespace ddsp
