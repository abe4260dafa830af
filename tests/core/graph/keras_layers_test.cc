// Keras's layers as nodes: their arguments and defaults. What they compute is tested in tests/core/nn.
#include "core/gin/reader.h"
#include "core/graph/dag_layer.h"
#include "core/graph/gin_graph.h"
#include "core/graph/proto_graph.h"
#include "core/nn/fully_connected.h"
#include "core/nn/rnn.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using at::Tensor;
using ::testing::AllOf;
using ::testing::HasSubstr;

// A node "n" of one class with its arguments, "units = 3", each on a line.
std::string Gin(const std::string& layer, const std::string& arguments) {
  std::string text = "DAGLayer.dag = [(@tf.keras.layers." + layer + "(), ['x'], ['y'])]\n";
  std::string line;
  for (const char c : arguments + "\n") {
    if (c != '\n') {
      line += c;
    } else if (!line.empty()) {
      text += (line[0] == '@' ? line.substr(1) : "tf.keras.layers." + layer + "." + line) + "\n";
      line.clear();
    }
  }
  return text + "tf.keras.layers." + layer + ".name = 'n'\n";
}

absl::StatusOr<NamedTensors> TryGin(const std::string& text, const NamedTensors& inputs,
                                    const NamedTensors& parameters = {}) {
  const auto config = gin::ParseConfig(text, "a.gin");
  if (!config.ok()) return config.status();
  const auto spec = GraphFromGin(*config);
  if (!spec.ok()) return spec.status();
  auto graph = ValidateGraphSpec(*spec);
  if (!graph.ok()) return graph.status();
  graph = ValidateGraphSpec(*GraphFromProto(GraphToProto(*spec)));  // the same as a message
  GroupContext context;
  for (const auto& [path, value] : parameters) context.parameters["n/" + path] = value;
  return DagLayer(*graph).Run(inputs, context);
}

Tensor RunLayer(const std::string& layer, const std::string& arguments, const Tensor& x,
                const NamedTensors& parameters = {}) {
  const auto results = TryGin(Gin(layer, arguments), {{"x", x}}, parameters);
  EXPECT_TRUE(results.ok()) << layer << ": " << results.status();
  return results.ok() ? results->at("n/y") : Tensor();
}

std::string Problem(const std::string& text) {
  return std::string(TryGin(text, {{"x", at::zeros({2, 6, 4})}}).status().message());
}

Tensor X() { return at::randn({2, 6, 4}); }

struct ShapeCase {
  const char* layer;
  const char* arguments;
  std::vector<int64_t> out;  // for x [2, 6, 4]
};

void PrintTo(const ShapeCase& c, std::ostream* out) { *out << c.layer << " " << c.arguments; }

class KerasShapes : public ::testing::TestWithParam<ShapeCase> {};

TEST_P(KerasShapes, AreKeras) {
  const Tensor y = RunLayer(GetParam().layer, GetParam().arguments, X());
  ASSERT_TRUE(y.defined());
  EXPECT_EQ(y.sizes(), at::IntArrayRef(GetParam().out));
  EXPECT_TRUE(y.isfinite().all().item<bool>());
}

INSTANTIATE_TEST_SUITE_P(
    All, KerasShapes,
    ::testing::Values(
        ShapeCase{"Dense", "units = 3", {2, 6, 3}}, ShapeCase{"Conv1D", "filters = 3\nkernel_size = 3", {2, 4, 3}},
        ShapeCase{"Conv1D", "filters = 3\nkernel_size = (3,)\npadding = 'same'\nstrides = 4", {2, 2, 3}},
        ShapeCase{
            "Conv1D", "filters = 4\nkernel_size = 3\npadding = 'causal'\ndilation_rate = 2\ngroups = 2", {2, 6, 4}},
        ShapeCase{"Conv1DTranspose", "filters = 3\nkernel_size = 3\nstrides = 2", {2, 13, 3}},
        ShapeCase{"Conv1DTranspose", "filters = 3\nkernel_size = 3\nstrides = 2\npadding = 'same'", {2, 12, 3}},
        ShapeCase{"MaxPooling1D", "", {2, 3, 4}}, ShapeCase{"MaxPooling1D", "strides = None", {2, 3, 4}},
        ShapeCase{"AveragePooling1D", "pool_size = 4\nstrides = 1\npadding = 'same'", {2, 6, 4}},
        ShapeCase{"GlobalAveragePooling1D", "", {2, 4}}, ShapeCase{"GlobalMaxPooling1D", "keepdims = True", {2, 1, 4}},
        ShapeCase{"Flatten", "", {2, 24}}, ShapeCase{"Reshape", "target_shape = (3, -1, 2)", {2, 3, 4, 2}},
        ShapeCase{"Permute", "dims = (2, 1)", {2, 4, 6}}, ShapeCase{"UpSampling1D", "", {2, 12, 4}},
        ShapeCase{"ZeroPadding1D", "padding = (1, 2)", {2, 9, 4}}, ShapeCase{"Cropping1D", "", {2, 4, 4}},
        ShapeCase{"GRU", "units = 5", {2, 5}}, ShapeCase{"GRU", "units = 5\nreturn_sequences = True", {2, 6, 5}},
        ShapeCase{"LSTM", "units = 5", {2, 5}}, ShapeCase{"BatchNormalization", "", {2, 6, 4}},
        ShapeCase{"LayerNormalization", "epsilon = 1e-5\ncenter = False", {2, 6, 4}},
        ShapeCase{"Bidirectional", "layer = @tf.keras.layers.LSTM()\n@LSTM.units = 5", {2, 10}},
        ShapeCase{"TimeDistributed", "layer = @tf.keras.layers.Dense()\n@layers.Dense.units = 5", {2, 6, 5}}));

TEST(KerasNodes, DefaultsAreThoseOfTheLayers) {
  const Tensor x = X();
  EXPECT_TRUE(at::allclose(RunLayer("LeakyReLU", "", x), at::leaky_relu(x, 0.3)));
  EXPECT_TRUE(at::allclose(RunLayer("LeakyReLU", "alpha = 0.1", x), at::leaky_relu(x, 0.1)));
  EXPECT_TRUE(at::allclose(RunLayer("ELU", "", x), at::where(x > 0, x, at::exp(x) - 1)));
  EXPECT_TRUE(at::allclose(RunLayer("Softmax", "", x), at::exp(x) / at::exp(x).sum(-1, true)));
  EXPECT_TRUE(at::allclose(RunLayer("Softmax", "axis = 1", x), at::exp(x) / at::exp(x).sum(1, true)));
  EXPECT_TRUE(at::allclose(RunLayer("ReLU", "", x), at::clamp_min(x, 0)));
  const Tensor expected = at::where(x < 0.5, 0.1 * (x - 0.5), at::clamp_max(x, 1));
  EXPECT_TRUE(at::allclose(RunLayer("ReLU", "max_value = 1\nnegative_slope = 0.1\nthreshold = 0.5", x), expected));
  EXPECT_TRUE(at::allclose(RunLayer("ThresholdedReLU", "", x), at::where(x > 1, x, at::zeros_like(x))));
  for (const char* layer : {"Dropout", "GaussianNoise", "GaussianDropout", "SpatialDropout1D", "AlphaDropout"}) {
    EXPECT_TRUE(at::equal(RunLayer(layer, "", x), x)) << layer;
  }
  EXPECT_TRUE(at::equal(RunLayer("Dropout", "rate = 0.5\nseed = 3", x), x));
}

TEST(KerasNodes, AnActivationMayFollow) {
  const Tensor x = X(), kernel = at::randn({4, 3}), conv = at::randn({1, 4, 3});
  EXPECT_TRUE(
      at::allclose(RunLayer("Dense", "units = 3\nuse_bias = False\nactivation = 'elu'", x, {{"kernel", kernel}}),
                   at::elu(at::matmul(x, kernel)), 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(
      RunLayer("Conv1D", "filters = 3\nkernel_size = 1\nuse_bias = False\nactivation = 'tanh'", x, {{"kernel", conv}}),
      at::tanh(at::matmul(x, conv[0])), 1e-5, 1e-6));
}

TEST(KerasNodes, KernelsMayStartOrthogonal) {
  const Tensor x = at::eye(4).unsqueeze(0);  // gives the kernel itself
  const Tensor kernel = RunLayer("Dense", "units = 3\nkernel_initializer = 'orthogonal'", x)[0];
  EXPECT_TRUE(at::allclose(at::matmul(kernel.t(), kernel), at::eye(3), 1e-4, 1e-5));
}

TEST(KerasNodes, RecurrentLayersAreTheCell) {
  RnnCell cell(4, 5, RnnType::kGru);
  InitializeParameters(cell);
  const Tensor x = X(), forward = cell.Forward(x).sequence, backward = cell.Forward(x.flip(1)).sequence;
  const NamedTensors parameters = CollectParameters(cell);
  EXPECT_TRUE(at::allclose(RunLayer("GRU", "units = 5", x, parameters), forward.select(1, -1)));
  // Backwards, Keras leaves the sequence in the order of the steps; Bidirectional turns it round.
  const std::string backwards = "units = 5\nreturn_sequences = True\ngo_backwards = True";
  EXPECT_TRUE(at::allclose(RunLayer("GRU", backwards, x, parameters), backward));
  NamedTensors both;
  for (const auto& [path, value] : parameters) {
    both["forward_layer/" + path] = both["backward_layer/" + path] = value;
  }
  const std::string layer = "layer = @tf.keras.layers.GRU()\n@GRU.units = 5\n@GRU.return_sequences = True\n";
  EXPECT_TRUE(at::allclose(RunLayer("Bidirectional", layer, x, both), at::cat({forward, backward.flip(1)}, -1)));
  EXPECT_TRUE(
      at::allclose(RunLayer("Bidirectional", layer + "merge_mode = 'ave'", x, both), (forward + backward.flip(1)) / 2));
  const auto state = TryGin(
      "DAGLayer.dag = [(@tf.keras.layers.GRU(), ['x'], ['y', 'h'])]\nGRU.units = 5\n"
      "GRU.name = 'n'\nGRU.return_state = True\n",
      {{"x", x}}, parameters);
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_TRUE(at::allclose(state->at("n/h"), forward.select(1, -1)));
}

// Layers one after the other, each with its own scope and the path that Keras gives it.
TEST(KerasNodes, SequencesRunInOrder) {
  const std::string text =
      "DAGLayer.dag = [(@tf.keras.Sequential(), ['x'], ['y'])]\nSequential.name = 'n'\n"
      "Sequential.layers = [@a/layers.Dense(), @LeakyReLU(), @TimeDistributed(), @nn.FcStack(), @b/nn.Dense()]\n"
      "a/layers.Dense.units = 5\nb/nn.Dense.units = 2\nFcStack.ch = 6\nFcStack.layers = 1\n"
      "TimeDistributed.layer = @tf.keras.layers.Reshape()\ntf.keras.layers.Reshape.target_shape = (5,)\n";
  Dense first(4, 5), last(6, 2);
  FcStack stack(5, 6, 1);
  NamedTensors parameters;
  const std::vector<std::pair<std::string, Layer*>> layers = {
      {"layer_with_weights-0/", &first}, {"layer_with_weights-1/", &stack}, {"layer_with_weights-2/", &last}};
  for (const auto& [prefix, layer] : layers) {
    InitializeParameters(*layer);
    for (const auto& [path, value] : CollectParameters(*layer)) parameters[prefix + path] = value;
  }
  const Tensor x = X();
  const auto results = TryGin(text, {{"x", x}}, parameters);
  ASSERT_TRUE(results.ok()) << results.status();
  const Tensor expected = last.Forward(stack.Forward(at::leaky_relu(first.Forward(x), 0.3)));
  EXPECT_TRUE(at::allclose(results->at("n/y"), expected, 1e-5, 1e-6));
}

TEST(KerasNodes, ANetMayBeASequence) {
  const auto results = TryGin(
      "DAGLayer.dag = [(@decoders.MidiDecoder(), ['x'])]\nMidiDecoder.net = @tf.keras.Sequential()\n"
      "Sequential.layers = [@Conv1D(), @tf.keras.layers.ReLU()]\nConv1D.filters = 3\nConv1D.kernel_size = 3\n"
      "Conv1D.padding = 'same'\n",
      {{"x", at::randn({2, 6, 1})}});
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ(results->at("out/f0_midi").sizes(), at::IntArrayRef({2, 6, 1}));
}

TEST(KerasNodes, ArgumentsThatCannotBeAreNamed) {
  EXPECT_THAT(Problem(Gin("Conv1D", "filters = 3")), HasSubstr("kernel_size"));
  EXPECT_THAT(Problem(Gin("Conv1D", "filters = 3\nkernel_size = (3, 3)")), HasSubstr("kernel_size has 2 items"));
  EXPECT_THAT(Problem(Gin("Conv2D", "filters = 3\nkernel_size = 3\npadding = 'causal'")),
              HasSubstr("padding is causal"));
  EXPECT_THAT(Problem(Gin("Conv1D", "filters = 3\nkernel_size = 3\ndata_format = 'channels_first'")),
              HasSubstr("data_format is channels_first"));
  EXPECT_THAT(Problem(Gin("GRU", "units = 3\nreset_after = False")), HasSubstr("reset_after is false"));
  EXPECT_THAT(Problem(Gin("GRU", "units = 3\nactivation = 'relu'")), HasSubstr("activation is relu"));
  EXPECT_THAT(Problem(Gin("Dense", "units = 3\nkernel_constraint = 'max_norm'")), HasSubstr("kernel_constraint"));
  EXPECT_THAT(Problem(Gin("LayerNormalization", "axis = 1")), HasSubstr("axis is 1"));
  EXPECT_THAT(Problem(Gin("Bidirectional", "layer = @nn.FcStack()")), HasSubstr("layer is 'nn.FcStack'"));
  EXPECT_THAT(Problem("DAGLayer.dag = [(@tf.keras.Sequential(), ['x'])]\nSequential.layers = []\n"),
              HasSubstr("layers is empty"));
}

// The rest of Keras is refused by name, with its place.
TEST(KerasNodes, LayersWithoutAPlaceSayWhy) {
  EXPECT_THAT(Problem(Gin("ConvLSTM2D", "")), AllOf(HasSubstr("a.gin:1:18"), HasSubstr("tf.keras.layers.ConvLSTM2D is "
                                                                                       "recurrent in a way")));
  EXPECT_THAT(Problem(Gin("Concatenate", "")), HasSubstr("takes one list of tensors"));
  EXPECT_THAT(Problem(Gin("Embedding", "")), HasSubstr("use encoders.OneHotEncoder"));
  EXPECT_THAT(Problem("DAGLayer.dag = [(@tf.keras.Sequential(), ['x'])]\nSequential.layers = [@SimpleRNN()]\n"),
              AllOf(HasSubstr("layers/0 is 'layers.SimpleRNN'"), HasSubstr("there are GRU and LSTM")));
  EXPECT_THAT(Problem("DAGLayer.dag = [(@tf.keras.layers.Flattened(), ['x'])]\n"),
              AllOf(HasSubstr("a.gin:1:18"), HasSubstr("unknown configurable")));
}

TEST(KerasNodes, FewValuesDoNotBecomeTooMany) {
  const std::string text =
      "DAGLayer.dag = [(@tf.keras.Sequential(), ['x'])]\n"
      "Sequential.layers = [@UpSampling1D(), @UpSampling1D(), @UpSampling1D()]\nUpSampling1D.size = 1024\n";
  EXPECT_THAT(Problem(text), HasSubstr("expected at most 2.68435e+08"));
  EXPECT_THAT(Problem(Gin("Conv1DTranspose", "filters = 3\nkernel_size = 1\nstrides = 1000000000")),
              HasSubstr("the result has"));
}

// Depth is bounded in texts that come from someone else too.
TEST(KerasNodes, LayersInLayersEnd) {
  std::string text = "nodes { name: 'n' type: 'keras.layers.TimeDistributed' inputs: 'x' ", key = "layer";
  for (int i = 0; i < 12; ++i, key += "/layer") {
    text += "texts { key: '" + key + "' value: 'keras.layers.TimeDistributed' } ";
  }
  const auto spec = GraphFromText(text + "}", "a");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_THAT(std::string(ValidateGraphSpec(*spec).status().message()), HasSubstr("inside more than 8 layers"));
}

}  // namespace
}  // namespace ddsp
