// Layers of Keras itself, which upstream registers in gin, with its semantics and defaults. A graph does not train, so
// they are as in inference.
#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/dsp/argument.h"
#include "core/graph/layer_form.h"
#include "core/graph/module_tables.h"
#include "core/nn/batch_normalization.h"
#include "core/nn/fully_connected.h"
#include "core/nn/keras_convolution.h"

namespace ddsp {
namespace {

using at::Tensor;
using Tensors = std::vector<Tensor>;

Initializer ReadInitializer(ArgReader& args) {
  const std::string name = args.Text("kernel_initializer", "glorot_uniform");
  if (name == "orthogonal") return Initializer::kOrthogonal;
  if (name == "zeros") return Initializer::kZeros;
  if (name == "ones") return Initializer::kOnes;
  if (name != "glorot_uniform") {
    args.Reject(absl::StrCat("kernel_initializer is '", name, "', expected glorot_uniform, orthogonal, zeros or ones"));
  }
  return Initializer::kGlorotUniform;
}

Bias ReadBias(ArgReader& args) {
  ExpectText(args, "bias_initializer", "zeros");
  return args.Flag("use_bias", true) ? Bias::kAdded : Bias::kNone;
}

// A layer and an activation after it.
template <typename L, typename... Args>
BuiltLayer Activated(Nonlinearity activation, int64_t out_channels, Args&&... args) {
  BuiltLayer built = Built<L>(out_channels, std::forward<Args>(args)...);
  built.forward = [=, forward = std::move(built.forward)](const Tensors& in) {
    return Tensors{Activate(activation, forward(in)[0])};
  };
  return built;
}

LayerForm DenseForm(ArgReader& args) {
  const int64_t units = ReadRequired(args, "units");
  const Nonlinearity activation = ReadNonlinearity(args, "activation", "");
  const Bias bias = ReadBias(args);
  const Initializer initializer = ReadInitializer(args);
  return OneToOne(
      [=](int64_t channels) { return Activated<Dense>(activation, units, channels, units, bias, initializer); });
}

// ---------------------------------------------------------------- convolutions

// One number for each axis of a window, or one for all; none: `fallback`.
std::vector<int64_t> ReadAxes(ArgReader& args, const std::string& name, size_t axes,
                              const std::vector<int64_t>& fallback) {
  std::vector<int64_t> sizes = args.Integers(name, fallback);
  if (sizes.empty()) sizes = fallback;
  if (sizes.size() == 1) sizes.resize(axes, sizes[0]);
  if (sizes.size() != axes) {
    args.Reject(absl::StrCat(name, " has ", sizes.size(), " items, expected ", axes));
    return std::vector<int64_t>(axes, 1);
  }
  for (int64_t& size : sizes) {
    if (size < 1) args.Reject(absl::StrCat(name, " has ", size, ", expected 1 or more"));
    size = std::max<int64_t>(size, 1);
  }
  return sizes;
}

ConvPadding ReadPadding(ArgReader& args, size_t axes, bool transposed) {
  const ConvPadding padding = args.Accept(ParseConvPadding(args.Text("padding", "valid")));
  if (padding == ConvPadding::kCausal && (axes > 1 || transposed)) {
    args.Reject("padding is causal, expected valid or same");
    return ConvPadding::kValid;
  }
  return padding;
}

enum class Direction { kDown, kTransposed };

template <typename Conv, size_t axes, Direction direction>
LayerForm ConvForm(ArgReader& args) {
  constexpr bool transposed = direction == Direction::kTransposed;
  KerasConvOptions options;
  options.filters = ReadRequired(args, "filters");
  options.kernel = ReadAxes(args, "kernel_size", axes, {});
  options.strides = ReadAxes(args, "strides", axes, {1});
  options.dilation = ReadAxes(args, "dilation_rate", axes, {1});
  options.padding = ReadPadding(args, axes, transposed);
  options.bias = ReadBias(args);
  options.initializer = ReadInitializer(args);
  ExpectText(args, "data_format", "channels_last");
  const auto above_one = [](const std::vector<int64_t>& sizes) {
    return std::any_of(sizes.begin(), sizes.end(), [](int64_t size) { return size > 1; });
  };
  if (transposed) {
    ExpectText(args, "output_padding", "");
    if (above_one(options.dilation)) args.Reject("dilation_rate is not 1, which a graph cannot do");
  } else {
    options.groups = args.Int("groups", 1, 1);
    if (above_one(options.strides) && above_one(options.dilation)) {
      args.Reject("strides and dilation_rate are both above 1, which Keras does not allow");
    }
  }
  const Nonlinearity activation = ReadNonlinearity(args, "activation", "");
  return OneToOne([=](int64_t channels) {
    KerasConvOptions fitting = options;
    fitting.in = channels;
    return Activated<Conv>(activation, options.filters, fitting);
  });
}

template <Pooling pooling, size_t axes>
LayerForm PoolingForm(ArgReader& args) {
  const std::vector<int64_t> sizes = ReadAxes(args, "pool_size", axes, {2}),
                             strides = ReadAxes(args, "strides", axes, sizes);
  const ConvPadding padding = ReadPadding(args, axes, /*transposed=*/true);
  ExpectText(args, "data_format", "channels_last");
  return Pointwise([=](const Tensor& x) { return Pool(x, pooling, sizes, strides, padding); });
}

template <Pooling pooling>
LayerForm GlobalPoolingForm(ArgReader& args) {
  const bool keeps = args.Flag("keepdims", false);
  ExpectText(args, "data_format", "channels_last");
  return Pointwise([=](const Tensor& x) {
    DDSP_CHECK_ARGUMENT(x.dim() == 3, "x has shape ", x.sizes(), ", expected [batch, time, channels]");
    return pooling == Pooling::kMax ? x.amax(1, keeps) : x.mean(1, keeps);
  });
}

// ---------------------------------------------------------------- normalisation

void ExpectLastAxis(ArgReader& args) {
  const std::vector<int64_t> axis = args.Integers("axis", {-1});
  if (axis != std::vector<int64_t>{-1})
    args.Reject(absl::StrCat("axis is ", absl::StrJoin(axis, ", "), ", expected -1"));
}

LayerForm LayerNormalizationForm(ArgReader& args) {
  using Affine = LayerNormalization::Affine;
  ExpectLastAxis(args);
  const double epsilon = args.Positive("epsilon", 1e-3);
  const bool scale = args.Flag("scale", true), center = args.Flag("center", true);
  const Affine affine =
      scale ? (center ? Affine::kScaleAndCenter : Affine::kScale) : (center ? Affine::kCenter : Affine::kNone);
  return OneToOne([=](int64_t channels) { return Built<LayerNormalization>(channels, channels, epsilon, affine); });
}

LayerForm BatchNormalizationForm(ArgReader& args) {
  ExpectLastAxis(args);
  args.Number("momentum", 0.99);  // of training
  BatchNormalization::Options options;
  options.epsilon = args.Positive("epsilon", options.epsilon);
  options.scale = args.Flag("scale", true);
  options.center = args.Flag("center", true);
  return OneToOne([=](int64_t channels) {
    BatchNormalization::Options fitting = options;
    fitting.channels = channels;
    return Built<BatchNormalization>(channels, fitting);
  });
}

// ---------------------------------------------------------------- pointwise

LayerForm ActivationForm(ArgReader& args) {
  if (args.Text("activation", "").empty()) args.Reject("activation is missing");
  const Nonlinearity activation = ReadNonlinearity(args, "activation", "");
  return Pointwise([=](const Tensor& x) { return Activate(activation, x); });
}

LayerForm ReluForm(ArgReader& args) {
  const double most = args.Number("max_value", std::numeric_limits<double>::infinity());
  const double slope = args.Number("negative_slope", 0), threshold = args.Number("threshold", 0);
  if (most < 0 || slope < 0) args.Reject("max_value or negative_slope is negative");
  return Pointwise(
      [=](const Tensor& x) { return at::where(x < threshold, slope * (x - threshold), at::clamp_max(x, most)); });
}

LayerForm LeakyReluForm(ArgReader& args) {
  const double alpha = args.Number("alpha", 0.3);
  return Pointwise([=](const Tensor& x) { return at::leaky_relu(x, alpha); });
}

LayerForm ThresholdedReluForm(ArgReader& args) {
  const double theta = args.Number("theta", 1);
  return Pointwise([=](const Tensor& x) { return at::where(x > theta, x, at::zeros_like(x)); });
}

LayerForm EluForm(ArgReader& args) {
  const double alpha = args.Number("alpha", 1);
  return Pointwise([=](const Tensor& x) { return at::elu(x, alpha); });
}

LayerForm SoftmaxForm(ArgReader& args) {
  const int64_t axis = args.Int("axis", -1, INT64_MIN);
  return Pointwise([=](const Tensor& x) { return at::softmax(x, axis); });
}

// What disturbs the signal in training alone. Its arguments are read for their names.
LayerForm IdentityForm(ArgReader& args) {
  for (const char* name : {"rate", "stddev"}) args.Number(name, 0);
  args.Integers("noise_shape", {});
  args.Number("seed", 0);
  return Pointwise([](const Tensor& x) { return x; });
}

// ---------------------------------------------------------------- shapes

// Of the time axis: two numbers, or one for both.
std::pair<int64_t, int64_t> ReadBothEnds(ArgReader& args, const std::string& name) {
  std::vector<int64_t> ends = args.Integers(name, {1});
  if (ends.size() == 1) ends.push_back(ends[0]);
  if (ends.size() == 2 && std::min(ends[0], ends[1]) >= 0 && std::max(ends[0], ends[1]) <= 1 << 20) {
    return {ends[0], ends[1]};
  }
  args.Reject(name + " is not one number or two, from 0 to 2^20");
  return {0, 0};
}

// Layers that repeat multiply, one after the other, what a caller's few values become.
void CheckGrowth(const Tensor& x, int64_t factor) {
  constexpr double kMostValues = 1 << 28;
  const double values = static_cast<double>(x.numel()) * static_cast<double>(factor);
  DDSP_CHECK_ARGUMENT(values <= kMostValues, "repeating makes ", values, " values, expected at most ", kMostValues);
}

LayerForm ZeroPaddingForm(ArgReader& args) {
  const auto [before, after] = ReadBothEnds(args, "padding");
  return Pointwise([before = before, after = after](const Tensor& x) {
    DDSP_CHECK_ARGUMENT(x.dim() == 3, "x has shape ", x.sizes(), ", expected [batch, time, channels]");
    return at::constant_pad_nd(x, {0, 0, before, after});
  });
}

LayerForm CroppingForm(ArgReader& args) {
  const auto [before, after] = ReadBothEnds(args, "cropping");
  return Pointwise([before = before, after = after](const Tensor& x) {
    DDSP_CHECK_ARGUMENT(x.dim() == 3 && x.size(1) > before + after, "x has shape ", x.sizes(),
                        ", expected [batch, time, channels] of more than ", before + after, " steps");
    return x.narrow(1, before, x.size(1) - before - after);
  });
}

LayerForm UpSamplingForm(ArgReader& args) {
  const int64_t size = ReadCount(args, "size", 2, 1);
  return Pointwise([=](const Tensor& x) {
    DDSP_CHECK_ARGUMENT(x.dim() == 3, "x has shape ", x.sizes(), ", expected [batch, time, channels]");
    CheckGrowth(x, size);
    return at::repeat_interleave(x, size, 1);
  });
}

LayerForm RepeatVectorForm(ArgReader& args) {
  const int64_t n = ReadRequired(args, "n");
  return Pointwise([=](const Tensor& x) {
    DDSP_CHECK_ARGUMENT(x.dim() == 2, "x has shape ", x.sizes(), ", expected [batch, channels]");
    CheckGrowth(x, n);
    return x.unsqueeze(1).expand({x.size(0), n, x.size(1)});
  });
}

LayerForm FlattenForm(ArgReader& args) {
  ExpectText(args, "data_format", "channels_last");
  return Rearranging([](const Tensor& x) { return x.dim() > 1 ? x.flatten(1) : x.unsqueeze(1); });
}

LayerForm ReshapeForm(ArgReader& args) {
  const std::vector<int64_t> target = args.Integers("target_shape", {});
  if (target.empty()) args.Reject("target_shape is missing");
  return Rearranging([=](const Tensor& x) {
    std::vector<int64_t> shape = {x.size(0)};
    shape.insert(shape.end(), target.begin(), target.end());
    return x.reshape(shape);
  });
}

LayerForm PermuteForm(ArgReader& args) {
  std::vector<int64_t> dims = args.Integers("dims", {});
  std::vector<int64_t> sorted = dims;
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i] != static_cast<int64_t>(i) + 1)
      return args.Reject("dims are not 1, 2, ... in some order"), LayerForm();
  }
  dims.insert(dims.begin(), 0);
  return Rearranging([=](const Tensor& x) {
    DDSP_CHECK_ARGUMENT(x.dim() == static_cast<int64_t>(dims.size()), "x has shape ", x.sizes(), ", for ",
                        dims.size() - 1, " dims");
    return x.permute(dims);
  });
}

constexpr LayerClass kClasses[] = {
    {"keras.layers.Activation", ActivationForm},
    {"keras.layers.ActivityRegularization",
     [](ArgReader& args) {
       for (const char* name : {"l1", "l2"}) args.Number(name, 0);
       return IdentityForm(args);
     }},
    {"keras.layers.AlphaDropout", IdentityForm},
    {"keras.layers.AveragePooling1D", PoolingForm<Pooling::kAverage, 1>},
    {"keras.layers.AveragePooling2D", PoolingForm<Pooling::kAverage, 2>},
    {"keras.layers.AvgPool1D", PoolingForm<Pooling::kAverage, 1>},
    {"keras.layers.AvgPool2D", PoolingForm<Pooling::kAverage, 2>},
    {"keras.layers.BatchNormalization", BatchNormalizationForm},
    {"keras.layers.Conv1D", ConvForm<KerasConv, 1, Direction::kDown>},
    {"keras.layers.Conv1DTranspose", ConvForm<KerasTransposedConv, 1, Direction::kTransposed>},
    {"keras.layers.Conv2D", ConvForm<KerasConv, 2, Direction::kDown>},
    {"keras.layers.Conv2DTranspose", ConvForm<KerasTransposedConv, 2, Direction::kTransposed>},
    {"keras.layers.Convolution1D", ConvForm<KerasConv, 1, Direction::kDown>},
    {"keras.layers.Convolution2D", ConvForm<KerasConv, 2, Direction::kDown>},
    {"keras.layers.Cropping1D", CroppingForm},
    {"keras.layers.Dense", DenseForm},
    {"nn.Dense", DenseForm},
    {"keras.layers.Dropout", IdentityForm},
    {"keras.layers.ELU", EluForm},
    {"keras.layers.Flatten", FlattenForm},
    {"keras.layers.GaussianDropout", IdentityForm},
    {"keras.layers.GaussianNoise", IdentityForm},
    {"keras.layers.GlobalAveragePooling1D", GlobalPoolingForm<Pooling::kAverage>},
    {"keras.layers.GlobalMaxPooling1D", GlobalPoolingForm<Pooling::kMax>},
    {"keras.layers.LayerNormalization", LayerNormalizationForm},
    {"keras.layers.LeakyReLU", LeakyReluForm},
    {"keras.layers.MaxPool1D", PoolingForm<Pooling::kMax, 1>},
    {"keras.layers.MaxPool2D", PoolingForm<Pooling::kMax, 2>},
    {"keras.layers.MaxPooling1D", PoolingForm<Pooling::kMax, 1>},
    {"keras.layers.MaxPooling2D", PoolingForm<Pooling::kMax, 2>},
    {"keras.layers.Permute", PermuteForm},
    {"keras.layers.ReLU", ReluForm},
    {"keras.layers.RepeatVector", RepeatVectorForm},
    {"keras.layers.Reshape", ReshapeForm},
    {"keras.layers.Softmax", SoftmaxForm},
    {"keras.layers.SpatialDropout1D", IdentityForm},
    {"keras.layers.ThresholdedReLU", ThresholdedReluForm},
    {"keras.layers.UpSampling1D", UpSamplingForm},
    {"keras.layers.ZeroPadding1D", ZeroPaddingForm},
};

}  // namespace

absl::Span<const LayerClass> KerasLayers() { return kClasses; }

bool ActsInTraining(const std::string& name) {
  for (const char* layer : {"ActivityRegularization", "AlphaDropout", "BatchNormalization", "Dropout",
                            "GaussianDropout", "GaussianNoise", "SpatialDropout1D"}) {
    if (!name.empty() && MeansClass(name, absl::StrCat("keras.layers.", layer))) return true;
  }
  return false;
}

}  // namespace ddsp
