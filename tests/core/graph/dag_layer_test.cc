#include "core/graph/dag_layer.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using testing::HasSubstr;

// Upstream's own test of DAGLayer: 5 numbers through 2 and back, and a loss on top.
GraphSpec Bottleneck() {
  GraphSpec spec;
  spec.inputs = {"test_data"};
  spec.nodes = {
      {"encoder", "layers.Dense", {{"units", int64_t{2}}}, {"inputs/test_data"}, {"z"}},
      {"decoder", "keras.layers.Dense", {{"units", int64_t{5}}}, {"encoder/z"}, {"reconstruction"}},
      {"distance", "losses.ParamLoss", {{"loss_type", "L2"}}, {"decoder/reconstruction", "test_data"}},
  };
  return spec;
}

TEST(DagLayer, RunsLayersAndLosses) {
  const DagLayer graph(*ValidateGraphSpec(Bottleneck()));
  GroupContext context;
  const at::Tensor to_two = at::randn({5, 2}), to_five = at::randn({2, 5});
  context.parameters = {{"encoder/kernel", to_two},
                        {"encoder/bias", at::ones({2})},
                        {"decoder/kernel", to_five},
                        {"decoder/bias", at::zeros({5})}};
  const at::Tensor x = at::randn({4, 5});
  const auto results = graph.Run({{"test_data", x}}, context);
  ASSERT_TRUE(results.ok()) << results.status();
  const at::Tensor y = at::matmul(at::matmul(x, to_two) + 1, to_five);
  EXPECT_TRUE(at::allclose(results->at("decoder/reconstruction"), y, 1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(results->at("distance/param_loss"), (y - x).square().mean(), 1e-5, 1e-5));
  EXPECT_TRUE(at::equal(results->at("out/param_loss"), results->at("distance/param_loss")));
}

TEST(DagLayer, LayersWithoutParametersDrawThemWithTheGenerator) {
  const DagLayer graph(*ValidateGraphSpec(Bottleneck()));
  const auto run = [&](uint64_t seed) {
    GroupContext context;
    context.generator = at::make_generator<at::CPUGeneratorImpl>(seed);
    return graph.Run({{"test_data", at::ones({4, 5})}}, context)->at("encoder/z");
  };
  EXPECT_TRUE(at::equal(run(1), run(1)));
  EXPECT_FALSE(at::equal(run(1), run(2)));
}

TEST(DagLayer, NamesTheNodeOfAWrongParameter) {
  const DagLayer graph(*ValidateGraphSpec(Bottleneck()));
  GroupContext context;
  context.parameters = {{"encoder/kernel", at::ones({5, 3})}};
  const auto status = graph.Run({{"test_data", at::ones({4, 5})}}, context).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("node encoder: "));
}

TEST(DagLayer, ALayerHasAsManyOutputNamesAsOutputs) {
  GraphSpec spec = Bottleneck();
  spec.nodes[0].outputs = {"z", "y"};
  EXPECT_THAT(std::string(ValidateGraphSpec(spec).status().message()),
              HasSubstr("node encoder: a layer makes 1 output, for which 2 names are given"));
  spec = Bottleneck();
  spec.nodes[2].outputs = {"d"};
  EXPECT_THAT(std::string(ValidateGraphSpec(spec).status().message()), HasSubstr("only a layer has outputs to name"));
}

TEST(DagLayer, GradientsPassLayersAndLosses) {
  const DagLayer graph(*ValidateGraphSpec(Bottleneck()));
  at::Tensor x = at::randn({4, 5}).requires_grad_(true);
  graph.Run({{"test_data", x}})->at("out/param_loss").backward();
  EXPECT_GT(x.grad().abs().sum().item<float>(), 0);
}

GraphSpec TwoNoises() {
  GraphSpec spec;
  spec.inputs = {"m"};
  spec.nodes = {{"one", "FilteredNoise", {{"n_samples", int64_t{320}}}, {"m"}},
                {"two", "FilteredNoise", {{"n_samples", int64_t{320}}}, {"m"}}};
  return spec;
}

TEST(DagLayer, TheSeedDecidesTheNoiseOfEveryNode) {
  const DagLayer graph(*ValidateGraphSpec(TwoNoises()));
  const NamedTensors inputs = {{"m", at::ones({1, 10, 9})}};
  GroupContext context;
  context.seed = 7;
  const auto first = graph.Run(inputs, context), again = graph.Run(inputs, context);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE(at::equal(first->at("one/signal"), again->at("one/signal")));
  EXPECT_FALSE(at::allclose(first->at("one/signal"), first->at("two/signal")));
  context.seed = 8;
  EXPECT_FALSE(at::allclose(graph.Run(inputs, context)->at("one/signal"), first->at("one/signal")));
}

}  // namespace
}  // namespace ddsp
