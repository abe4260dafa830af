// Layers as nodes, out of their text to numbers: what the layer itself gives.
#include <map>

#include "core/base/file.h"
#include "core/gin/reader.h"
#include "core/graph/dag_layer.h"
#include "core/graph/gin_graph.h"
#include "core/graph/graph_runner.h"
#include "core/graph/proto_graph.h"
#include "core/nn/conv_decoders.h"
#include "core/nn/resnet.h"
#include "core/nn/rnn_fc_decoder.h"
#include "core/nn/rnn_layers.h"
#include "core/nn/vector_quantization.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using at::Tensor;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

GraphSpec FromGin(const std::string& text) {
  const auto spec = GraphFromGin(*gin::ParseConfig(text, "a.gin"));
  EXPECT_TRUE(spec.ok()) << spec.status();
  return spec.ok() ? *spec : GraphSpec{};
}

GraphSpec FromText(const std::string& text) {
  const auto spec = GraphFromText(text, "a");
  EXPECT_TRUE(spec.ok()) << spec.status();
  return spec.ok() ? *spec : GraphSpec{};
}

std::string Problems(const GraphSpec& spec) { return std::string(ValidateGraphSpec(spec).status().message()); }

NamedTensors RunGraph(const GraphSpec& spec, const NamedTensors& inputs, const NamedTensors& parameters = {}) {
  const auto graph = ValidateGraphSpec(spec);
  EXPECT_TRUE(graph.ok()) << graph.status();
  if (!graph.ok()) return {};
  GroupContext context;
  context.parameters = parameters;
  const auto results = DagLayer(*graph).Run(inputs, context);
  EXPECT_TRUE(results.ok()) << results.status();
  return results.ok() ? *results : NamedTensors{};
}

NamedTensors Under(const std::string& node, const NamedTensors& parameters) {
  NamedTensors named;
  for (const auto& [path, value] : parameters) named[node + "/" + path] = value;
  return named;
}

Tensor Noise(std::vector<int64_t> shape) { return at::randn(shape); }

// A node of one class and its arguments in the protocol's text, the classes that take x and perhaps z.
struct LayerCase {
  const char* name;  // class
  const char* arguments;
  std::vector<int64_t> out;  // shape for x [2, 6, 4], z [2, 6, 3]
  bool conditional = false;
};

void PrintTo(const LayerCase& layer, std::ostream* out) { *out << layer.name; }

class EveryLayerTest : public ::testing::TestWithParam<LayerCase> {};

TEST_P(EveryLayerTest, RunsWithFreshParameters) {
  const LayerCase& layer = GetParam();
  const GraphSpec spec = FromText(std::string("nodes { name: 'n' type: '") + layer.name + "' inputs: 'x' " +
                                  (layer.conditional ? "inputs: 'z' " : "") + layer.arguments + " }");
  const NamedTensors results = RunGraph(spec, {{"x", Noise({2, 6, 4})}, {"z", Noise({2, 6, 3})}});
  ASSERT_TRUE(results.contains("n/out") || results.contains("n/z"));
  const Tensor y = results.contains("n/out") ? results.at("n/out") : results.at("n/z");
  EXPECT_EQ(y.sizes(), at::IntArrayRef(layer.out));
  EXPECT_TRUE(y.isfinite().all().item<bool>());
}

constexpr char kShiftOnly[] = "flags { key: 'shift_only' value: true } flags { key: 'conditional' value: true }";

INSTANTIATE_TEST_SUITE_P(
    All, EveryLayerTest,
    ::testing::Values(
        LayerCase{"keras.layers.Dense", "numbers { key: 'units' value: 3 }", {2, 6, 3}},
        LayerCase{"keras.layers.Activation", "texts { key: 'activation' value: 'tanh' }", {2, 6, 4}},
        LayerCase{"keras.layers.ReLU", "", {2, 6, 4}}, LayerCase{"keras.layers.LayerNormalization", "", {2, 6, 4}},
        LayerCase{"nn.Identity", "", {2, 6, 4}}, LayerCase{"nn.Fc", "numbers { key: 'ch' value: 5 }", {2, 6, 5}},
        LayerCase{"nn.FcStack", "numbers { key: 'ch' value: 5 }", {2, 6, 5}},
        LayerCase{"nn.FcStackOut",
                  "numbers { key: 'ch' value: 5 } numbers { key: 'layers' value: 1 } numbers { key: 'n_out' value: 7 }",
                  {2, 6, 7}},
        LayerCase{"nn.Rnn", "numbers { key: 'dims' value: 5 } flags { key: 'bidir' value: true }", {2, 6, 10}},
        LayerCase{"nn.Rnn", "numbers { key: 'dims' value: 5 } flags { key: 'return_sequences' value: false }", {2, 5}},
        LayerCase{"nn.SingleGru", "numbers { key: 'gru_dim' value: 5 }", {2, 6, 5}},
        LayerCase{
            "nn.RnnSandwich", "numbers { key: 'rnn_ch' value: 5 } numbers { key: 'fc_stack_ch' value: 3 }", {2, 6, 3}},
        LayerCase{"nn.RnnFc",
                  "numbers { key: 'rnn_feat' value: 5 } numbers { key: 'out_feat' value: 3 } flags { key: 'bidir' "
                  "value: true }",
                  {2, 6, 3}},
        LayerCase{
            "nn.DilatedConvStack", "numbers { key: 'ch' value: 5 } numbers { key: 'stacks' value: 1 }", {2, 6, 5}},
        LayerCase{"nn.DilatedConvStack",
                  "numbers { key: 'ch' value: 5 } texts { key: 'resample_type' value: 'upsample' } numbers { key: "
                  "'resample_stride' value: 2 } numbers { key: 'stacks' value: 1 }",
                  {2, 12, 5}},
        LayerCase{"nn.DilatedConvStack",
                  "numbers { key: 'ch' value: 5 } numbers { key: 'stacks' value: 1 } flags { key: 'conditional' value: "
                  "true } texts { key: 'norm_type' value: 'layer' }",
                  {2, 6, 5},
                  true},
        LayerCase{"nn.Normalize", "texts { key: 'norm_type' value: 'instance' }", {2, 6, 4}},
        LayerCase{"nn.ConditionalNorm", "flags { key: 'shift_only' value: true }", {2, 6, 1, 4}, true},
        LayerCase{"nn.NormReluConv",
                  "numbers { key: 'ch' value: 5 } numbers { key: 'k' value: 1 } numbers { key: 's' value: 1 }",
                  {2, 6, 1, 5}},
        LayerCase{"nn.ResidualLayer",
                  "numbers { key: 'ch' value: 5 } numbers { key: 'stride' value: 1 } flags { key: 'shortcut' value: "
                  "true }",
                  {2, 6, 1, 20}},
        LayerCase{
            "nn.ResidualStack",
            "lists { key: 'filters' value { values: 5 } } lists { key: 'block_sizes' value { values: 2 } } lists { "
            "key: 'strides' value { values: 1 } } flags { key: 'conditional' value: true }",
            {2, 6, 1, 20},
            true},
        LayerCase{"nn.Dense", "numbers { key: 'units' value: 3 }", {2, 6, 3}},
        LayerCase{"nn.PolyphaseResample", "numbers { key: 'stride' value: 3 }", {2, 2, 12}},
        LayerCase{"nn.VectorQuantization",
                  "numbers { key: 'k' value: 5 } numbers { key: 'num_heads' value: 2 }",
                  {2, 6, 4}}));

TEST(LayerNodes, ADecoderFromGinGivesWhatTheDecoderGives) {
  const GraphSpec spec = FromGin(
      "DAGLayer.dag = [(@decoders.RnnFcDecoder(), ['inputs'])]\n"
      "RnnFcDecoder.rnn_channels = 6\nRnnFcDecoder.ch = 5\nRnnFcDecoder.layers_per_stack = 1\n"
      "RnnFcDecoder.input_keys = ('f0_scaled', 'z')\nRnnFcDecoder.output_splits = (('amps', 1), ('mags', 7))\n");
  const auto decoder = *RnnFcDecoder::Create({.rnn_channels = 6,
                                              .ch = 5,
                                              .layers_per_stack = 1,
                                              .inputs = {{"f0_scaled", 1}, {"z", 3}},
                                              .output_splits = {{"amps", 1}, {"mags", 7}}});
  InitializeParameters(*decoder);
  const NamedTensors inputs = {{"z", Noise({2, 6, 3})}, {"f0_scaled", Noise({2, 6, 1})}};
  const NamedTensors results = RunGraph(spec, inputs, Under("rnn_fc_decoder", CollectParameters(*decoder)));
  const NamedTensors expected = decoder->Forward(inputs)->controls;
  EXPECT_TRUE(at::allclose(results.at("rnn_fc_decoder/amps"), expected.at("amps")));
  EXPECT_TRUE(at::allclose(results.at("out/mags"), expected.at("mags")));
}

// The steps of a stream: the state goes through the graph.
TEST(LayerNodes, AStatelessDecoderCarriesItsStateThroughTheGraph) {
  const GraphSpec spec = FromGin(
      "DAGLayer.dag = [(@decoders.RnnFcDecoder(), ['a', 'state'])]\nRnnFcDecoder.input_keys = ('a',)\n"
      "RnnFcDecoder.stateless = True\nRnnFcDecoder.rnn_channels = 6\nRnnFcDecoder.ch = 5\n"
      "RnnFcDecoder.layers_per_stack = 1\n");
  const auto decoder = *RnnFcDecoder::Create({.rnn_channels = 6, .ch = 5, .layers_per_stack = 1, .inputs = {{"a", 2}}});
  InitializeParameters(*decoder);
  const NamedTensors parameters = Under("rnn_fc_decoder", CollectParameters(*decoder));
  const Tensor x = Noise({2, 4, 2}), start = at::zeros({2, 6});
  const NamedTensors whole = RunGraph(spec, {{"a", x}, {"state", start}}, parameters);
  const NamedTensors first = RunGraph(spec, {{"a", x.narrow(1, 0, 3)}, {"state", start}}, parameters);
  const NamedTensors rest = RunGraph(spec, {{"a", x.narrow(1, 3, 1)}, {"state", first.at("out/state")}}, parameters);
  EXPECT_TRUE(at::allclose(rest.at("out/amps"), whole.at("out/amps").narrow(1, 3, 1), 1e-5, 1e-6));
}

TEST(LayerNodes, NetsAreArgumentsOfNodes) {
  const GraphSpec spec = FromGin(
      "DAGLayer.dag = [(@encoders.MidiEncoder(), ['f0_midi', 'loudness']),\n"
      "                (@decoders.MidiToHarmonicDecoder(), ['midi_encoder'])]\n"
      "MidiEncoder.net = @nn.RnnSandwich()\nRnnSandwich.rnn_ch = 6\nRnnSandwich.fc_stack_ch = 5\n"
      "MidiToHarmonicDecoder.net = @nn.DilatedConvStack()\nDilatedConvStack.ch = 4\nDilatedConvStack.stacks = 1\n"
      "MidiToHarmonicDecoder.output_splits = (('f0_midi', 1), ('amplitudes', 1), ('harmonic_distribution', 9))\n");
  EXPECT_EQ(spec.nodes[0].args.at("net"), ArgValue("nn.RnnSandwich"));
  EXPECT_EQ(spec.nodes[0].args.at("net/rnn_ch"), ArgValue(int64_t{6}));
  const auto graph = ValidateGraphSpec(spec);
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_THAT(graph->nodes()[1].spec.inputs, ElementsAre("midi_encoder/z_pitch", "midi_encoder/z_vel"));

  MidiToHarmonicDecoder decoder({.in = 1, .ch = 4, .stacks = 1},
                                {{"f0_midi", 1}, {"amplitudes", 1}, {"harmonic_distribution", 9}});
  InitializeParameters(decoder);
  const NamedTensors results = RunGraph(spec, {{"f0_midi", 60 + Noise({2, 6, 1})}, {"loudness", Noise({2, 6, 1})}},
                                        Under("midi_to_harmonic_decoder", CollectParameters(decoder)));
  const NamedTensors expected = decoder.Forward(results.at("midi_encoder/z_pitch"));
  for (const auto& [name, value] : expected) {
    EXPECT_TRUE(at::allclose(results.at("midi_to_harmonic_decoder/" + name), value, 1e-5, 1e-5)) << name;
  }
}

// As in gin, a net is made while the scope of what it is a part of is active.
TEST(LayerNodes, ScopesReachNets) {
  const GraphSpec spec = FromGin(
      "DAGLayer.dag = [(@a/decoders.MidiDecoder(), ['z_pitch'])]\nMidiDecoder.net = @nn.FcStack()\nFcStack.ch = 3\n"
      "a/FcStack.ch = 4\n");
  EXPECT_EQ(spec.nodes[0].args.at("net/ch"), ArgValue(int64_t{4}));
}

TEST(LayerNodes, ATextRoundTripsWithItsNetsAndSplits) {
  const GraphSpec spec = FromGin(
      "DAGLayer.dag = [(@decoders.DilatedConvDecoder(), ['inputs'])]\n"
      "DilatedConvDecoder.precondition_stack = @nn.FcStack()\nFcStack.ch = 3\nDilatedConvDecoder.ch = 4\n"
      "DilatedConvDecoder.conditioning_keys = ('z', 'y')\nDilatedConvDecoder.output_splits = (('amps', 2),)\n");
  const GraphSpec again = *GraphFromProto(GraphToProto(spec));
  EXPECT_EQ(again.nodes[0].args, spec.nodes[0].args);
  const Tensor one = Noise({2, 6, 1});
  const NamedTensors results =
      RunGraph(again, {{"ld_scaled", one}, {"f0_scaled", one}, {"z", Noise({2, 6, 3})}, {"y", Noise({2, 6, 2})}});
  EXPECT_EQ(results.at("out/amps").sizes(), at::IntArrayRef({2, 6, 2}));
}

TEST(LayerNodes, EncodersGiveAZForEveryFrame) {
  const NamedTensors inputs = {{"audio", Noise({2, 16000})},
                               {"f0_scaled", at::rand({2, 25, 1})},
                               {"ld_scaled", at::rand({2, 25, 1})},
                               {"instrument", at::zeros({2, 25})}};
  const std::map<std::string, int64_t> channels = {{"MfccTimeDistributedRnnEncoder.z_dims", 7},
                                                   {"MfccRnnEncoder.z_dims", 7},
                                                   {"AggregateFeaturesEncoder.ch", 7},
                                                   {"OneHotEncoder.n_dims", 7},
                                                   {"ExpressionEncoder.z_dims", 7}};
  for (const auto& [argument, size] : channels) {
    const std::string name = argument.substr(0, argument.find('.'));
    std::string gin = "DAGLayer.dag = [(@encoders." + name + "(), ['inputs'])]\n" + argument + " = 7\n";
    if (name.starts_with("Mfcc")) gin += name + ".rnn_channels = 6\n";
    if (name == "MfccRnnEncoder") gin += "MfccRnnEncoder.mean_aggregate = True\n";
    if (name == "ExpressionEncoder") gin += "ExpressionEncoder.net = @nn.FcStack()\nFcStack.ch = 4\n";
    const NamedTensors results = RunGraph(FromGin(gin), inputs);
    ASSERT_TRUE(results.contains("out/z")) << name;
    EXPECT_EQ(results.at("out/z").sizes(), at::IntArrayRef({2, 25, size})) << name;
  }
}

TEST(LayerNodes, SinusoidsBecomeHarmonics) {
  const GraphSpec spec = FromGin(
      "DAGLayer.dag = [(@encoders.SinusoidalToHarmonicEncoder(), ['sin_freqs', 'sin_amps'])]\n"
      "SinusoidalToHarmonicEncoder.net = @nn.RnnSandwich()\nRnnSandwich.rnn_ch = 6\n"
      "SinusoidalToHarmonicEncoder.n_harmonics = 9\n");
  const NamedTensors results =
      RunGraph(spec, {{"sin_freqs", 100 + 900 * at::rand({2, 6, 5})}, {"sin_amps", at::rand({2, 6, 5})}});
  EXPECT_EQ(results.at("out/harm_dist").sizes(), at::IntArrayRef({2, 6, 9}));
  EXPECT_GT(results.at("out/f0_hz").min().item<float>(), 19);
}

TEST(LayerNodes, AResNetHearsSinusoids) {
  const GraphSpec spec = FromGin(
      "DAGLayer.dag = [(@encoders.ResnetSinusoidalEncoder(), ['audio'])]\nResnetSinusoidalEncoder.size = 'tiny'\n"
      "ResnetSinusoidalEncoder.spectral_fn = @spectral_ops.compute_logmel\ncompute_logmel.bins = 40\n"
      "compute_logmel.fft_size = 512\nResnetSinusoidalEncoder.output_splits = (('frequencies', 12), ('amplitudes', "
      "3))\n");
  EXPECT_EQ(spec.nodes[0].args.at("spectral_fn/bins"), ArgValue(int64_t{40}));
  const NamedTensors results = RunGraph(spec, {{"audio", Noise({2, 1280})}});
  EXPECT_EQ(results.at("out/frequencies").sizes(), at::IntArrayRef({2, 10, 12}));
  EXPECT_EQ(results.at("out/amplitudes").sizes(), at::IntArrayRef({2, 10, 3}));
}

TEST(LayerNodes, AConditionalResNetTakesAnotherShiftForEveryLayer) {
  const GraphSpec spec = FromGin(
      "DAGLayer.dag = [(@nn.ResNet(), ['x', 'z'], ['y'])]\nResNet.size = 'tiny'\nResNet.conditional = True\n"
      "ResNet.shift_only = True\nResNet.norm_type = 'instance'\n");
  ResNet net({ResNetSize::kTiny, 2, NormType::kInstance, 3, Modulation::kShiftOnly});
  InitializeParameters(net);
  const Tensor x = Noise({2, 4, 30, 2}), z = Noise({2, 4, 3});
  const NamedTensors results = RunGraph(spec, {{"x", x}, {"z", z}}, Under("res_net", CollectParameters(net)));
  EXPECT_TRUE(at::allclose(results.at("out/y"), net.Forward(x, z), 1e-4, 1e-5));
}

TEST(LayerNodes, AResidualStackEndsInItsNonlinearity) {
  const auto made = [](const std::string& nonlinearity) {
    ResidualStack stack({.in = 4, .blocks = {{3, 1, 1}}});
    at::manual_seed(5);
    InitializeParameters(stack);
    const GraphSpec spec = FromGin(
        "DAGLayer.dag = [(@nn.ResidualStack(), ['x'], ['y'])]\nResidualStack.filters = [3]\nResidualStack.strides = "
        "[1]\n"
        "ResidualStack.block_sizes = [1]\nResidualStack.norm_type = 'layer'\nResidualStack.nonlinearity = '" +
        nonlinearity + "'\n");
    const Tensor x = at::linspace(-1, 1, 48).view({2, 6, 4});
    return RunGraph(spec, {{"x", x}}, Under("residual_stack", CollectParameters(stack))).at("out/y");
  };
  const Tensor linear = made("linear");
  EXPECT_LT(linear.min().item<float>(), 0);
  EXPECT_TRUE(at::allclose(made("relu"), at::relu(linear)));
  EXPECT_TRUE(at::allclose(made("leaky_relu"), at::leaky_relu(linear, 0.2)));
}

TEST(LayerNodes, KernelsOfStacksStartAndNormaliseAsTold) {
  const std::string text =
      "DAGLayer.dag = [(@decoders.DilatedConvDecoder(), ['inputs']), (@nn.DilatedConvStack(), ['f0_scaled'], ['y'])]\n"
      "DilatedConvDecoder.spectral_norm = True\nDilatedConvDecoder.conditioning_keys = None\nDilatedConvDecoder.ch = "
      "4\n"
      "DilatedConvStack.spectral_norm = True\nDilatedConvStack.ortho_init = True\nDilatedConvStack.ch = 4\n"
      "DilatedConvStack.stacks = 1\nDilatedConvStack.layers_per_stack = 1\nDilatedConvStack.kernel_size = 1\n";
  DilatedConvStack::Options options{.in = 1, .ch = 4, .layers_per_stack = 1, .stacks = 1, .kernel_size = 1};
  options.kernel_norm = DilatedConvStack::KernelNorm::kSpectral;
  DilatedConvStack stack(options);
  InitializeParameters(stack);
  DilatedConvDecoder::Options decoder_options;
  decoder_options.stack.ch = 4;
  decoder_options.stack.norm_type = NormType::kLayer;
  decoder_options.stack.kernel_norm = DilatedConvStack::KernelNorm::kSpectral;
  DilatedConvDecoder decoder(decoder_options);
  InitializeParameters(decoder);
  NamedTensors parameters = Under("dilated_conv_stack", CollectParameters(stack));
  parameters.merge(Under("dilated_conv_decoder", CollectParameters(decoder)));
  EXPECT_TRUE(parameters.contains("dilated_conv_decoder/dilated_conv_stack/conv_in/u"));
  const Tensor x = Noise({2, 6, 1});
  const NamedTensors results = RunGraph(FromGin(text), {{"f0_scaled", x}, {"ld_scaled", x}}, parameters);
  EXPECT_TRUE(at::allclose(results.at("out/y"), stack.Forward(x), 1e-5, 1e-6));
}

// A square orthogonal kernel of one tap keeps lengths.
TEST(LayerNodes, OrthogonalKernelsKeepLengths) {
  const auto made = [](bool ortho) {
    const GraphSpec spec =
        FromGin(std::string("DAGLayer.dag = [(@tf.keras.layers.Conv1D(), ['x'], ['y'])]\nConv1D.filters = 6\n"
                            "Conv1D.kernel_size = 1\n") +
                (ortho ? "Conv1D.kernel_initializer = 'orthogonal'\n" : ""));
    const Tensor x = Noise({2, 6, 6});
    return (RunGraph(spec, {{"x", x}}).at("out/y").norm(2, -1) - x.norm(2, -1)).abs().max().item<float>();
  };
  EXPECT_LT(made(true), 1e-4);
  EXPECT_GT(made(false), 1e-2);
}

TEST(LayerNodes, KeysAreConstructorArguments) {
  const GraphSpec spec = FromGin(
      "DAGLayer.dag = [(@encoders.MidiEncoder(), ['inputs']), (@decoders.MidiDecoder(), ['midi_encoder'])]\n"
      "MidiEncoder.net = @nn.FcStack()\nMidiDecoder.net = @nn.FcStack()\nFcStack.ch = 4\n"
      "MidiEncoder.input_keys = ('pitch', 'level')\nMidiEncoder.output_keys = ('note', 'velocity')\n"
      "MidiDecoder.input_keys = ('note',)\nMidiDecoder.output_keys = ('f0', 'ld')\n");
  const auto graph = ValidateGraphSpec(spec);
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_THAT(graph->inputs(), ElementsAre("pitch", "level"));
  EXPECT_THAT(graph->nodes()[1].spec.inputs, ElementsAre("midi_encoder/note"));
  const NamedTensors results = RunGraph(spec, {{"pitch", 60 + Noise({2, 6, 1})}, {"level", Noise({2, 6, 1})}});
  EXPECT_TRUE(results.contains("midi_encoder/velocity"));
  EXPECT_TRUE(results.contains("out/f0") && results.contains("midi_decoder/ld"));
}

TEST(LayerNodes, KeysThatDoNotFitAreNamed) {
  const std::string encoder =
      "DAGLayer.dag = [(@encoders.MidiEncoder(), ['a', 'b'])]\nMidiEncoder.net = @nn.FcStack()\n";
  EXPECT_THAT(Problems(FromGin(encoder + "MidiEncoder.input_keys = ('a',)\nMidiEncoder.output_keys = ('c',)\n")),
              AllOf(HasSubstr("input_keys has 1 keys, for a layer of 2 inputs"),
                    HasSubstr("output_keys has 1 keys, for a layer of 2 outputs")));
  // Its splits name the outputs.
  EXPECT_THAT(Problems(FromGin("DAGLayer.dag = [(@decoders.RnnFcDecoder(), ['a', 'b', 'c'])]\n"
                               "RnnFcDecoder.output_keys = ('c',)\n")),
              HasSubstr("unknown argument output_keys"));
  EXPECT_THAT(
      Problems(FromGin("DAGLayer.dag = [(@encoders.MfccRnnEncoder(), ['inputs'])]\nMfccRnnEncoder.input_keys = ('a', "
                       "'b')\n")),
      HasSubstr("input_keys has 2 keys, for a layer of 1 inputs"));
}

TEST(LayerNodes, GroupsSayWhatTheyLack) {
  EXPECT_THAT(
      Problems(FromGin("DAGLayer.dag = [(@nn.Fc(), ['x']), (@decoders.RnnFcDecoder(), ['fc'])]\n")),
      AllOf(HasSubstr("node rnn_fc_decoder: input ld_scaled is in none of fc"), HasSubstr("input z is in none")));
  EXPECT_THAT(Problems(FromGin("DAGLayer.dag = [(@synths.Harmonic(), ['inputs'])]\n")), HasSubstr("input 'inputs'"));
}

TEST(LayerNodes, ProblemsOfNetsNameThem) {
  const std::string decoder = "DAGLayer.dag = [(@decoders.MidiDecoder(), ['z_pitch'])]\n";
  EXPECT_THAT(Problems(FromGin(decoder)), HasSubstr("net is '', expected a layer"));
  EXPECT_THAT(
      Problems(FromGin(decoder + "MidiDecoder.net = @nn.FcStack()\nFcStack.ch = 0\nFcStack.layers = 9999\n")),
      AllOf(HasSubstr("net/ch is 0, expected 1 or more"), HasSubstr("net/layers is 9999, expected at most 1024")));
  EXPECT_THAT(Problems(FromGin("DAGLayer.dag = [(@encoders.MidiEncoder(), ['a', 'b'], ['c', 'd'])]\n"
                               "MidiEncoder.net = @nn.Identity()\n")),
              HasSubstr("its results are called z_pitch, z_vel, not c, d"));
}

TEST(LayerNodes, ANetWithinItselfIsAProblem) {
  const auto spec = GraphFromGin(*gin::ParseConfig(
      "DAGLayer.dag = [(@decoders.MidiDecoder(), ['z_pitch'])]\nMidiDecoder.net = @decoders.MidiDecoder()\n", "a.gin"));
  EXPECT_THAT(std::string(spec.status().message()), HasSubstr("more than 8 layers inside"));
}

TEST(LayerNodes, HugeLayersAreRefusedBeforeTheyAreMade) {
  const auto runner = GraphRunner::Create(FromGin("DAGLayer.dag = [(@nn.FcStack(), ['x'])]\nFcStack.ch = 20000\n"),
                                          {.max_elements = int64_t{1} << 28});
  ASSERT_TRUE(runner.ok()) << runner.status();
  const auto status = (*runner)->Run({.inputs = {{"x", {{1, 1, 1}, {0}}}}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("20000 by 20000"));
}

}  // namespace
}  // namespace ddsp
