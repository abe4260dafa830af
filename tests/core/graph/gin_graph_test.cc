#include "core/graph/gin_graph.h"

#include "core/gin/reader.h"
#include "core/graph/processor_group.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

GraphSpec Read(const std::string& name) {
  const auto config = gin::ReadConfig(DDSP_TESTDATA "/gin/graphs/" + name + ".gin");
  EXPECT_TRUE(config.ok()) << config.status();
  const auto spec = GraphFromGin(*config);
  EXPECT_TRUE(spec.ok()) << spec.status();
  return spec.value_or(GraphSpec());
}

std::string Problems(const std::string& text) {
  return std::string(GraphFromGin(*gin::ParseConfig(text, "a.gin")).status().message());
}

TEST(GraphFromGin, ReadsNodesWithTheirParametersAndMacros) {
  const GraphSpec spec = Read("harmonic_plus_noise");
  ASSERT_EQ(spec.nodes.size(), 4);
  EXPECT_EQ(spec.nodes[0].class_name, "synths.Harmonic");
  EXPECT_EQ(spec.nodes[0].name, "harmonic");
  EXPECT_EQ(std::get<int64_t>(spec.nodes[0].args.at("n_samples")), 3200);
  EXPECT_EQ(std::get<std::string>(spec.nodes[0].args.at("scale_fn")), "core.exp_sigmoid");
  EXPECT_THAT(spec.nodes[2].inputs, ElementsAre("filtered_noise/signal", "harmonic/signal"));
  EXPECT_THAT(spec.inputs, ElementsAre("amps", "harmonic_distribution", "f0_hz", "noise_magnitudes"));
}

TEST(GraphFromGin, ScopesTellTwoOfAClassApart) {
  const GraphSpec spec = Read("two_voices");
  EXPECT_EQ(spec.nodes[0].name, "low");
  EXPECT_EQ(spec.nodes[1].name, "high");
  EXPECT_FALSE(spec.nodes[0].args.contains("amp_resample_method"));
  EXPECT_EQ(std::get<std::string>(spec.nodes[1].args.at("amp_resample_method")), "linear");
  EXPECT_EQ(std::get<int64_t>(spec.nodes[1].args.at("n_samples")), 1600);
}

TEST(GraphFromGin, ReadsLayersAndNamedModules) {
  const GraphSpec spec = Read("layers_and_loss");
  ASSERT_EQ(spec.nodes.size(), 4);
  EXPECT_EQ(spec.nodes[0].name, "encoder");
  EXPECT_THAT(spec.nodes[0].outputs, ElementsAre("z"));
  EXPECT_EQ(spec.nodes[3].name, "distance");
  EXPECT_EQ(spec.nodes[3].class_name, "losses.ParamLoss");
  const auto graph = ValidateGraphSpec(spec);
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_TRUE(DagLayer(*graph).Run({{"x", at::ones({3, 5})}})->contains("out/param_loss"));
}

TEST(GraphFromGin, EveryPublishedGraphIsValid) {
  for (const char* name : {"solo_instrument", "tiny_instrument", "ae", "vst", "vst_48k", "midiae"}) {
    const auto config = gin::ReadConfig(std::string(DDSP_TESTDATA "/gin/models/") + name + ".gin",
                                        gin::DiskFiles({DDSP_TESTDATA "/gin"}));
    ASSERT_TRUE(config.ok()) << config.status();
    const auto spec = GraphFromGin(*config);
    ASSERT_TRUE(spec.ok()) << name << ": " << spec.status();
    EXPECT_TRUE(ValidateGraphSpec(*spec).ok()) << name << ": " << ValidateGraphSpec(*spec).status();
  }
}

TEST(GraphFromGin, ReportsEverythingWithItsPlace) {
  EXPECT_THAT(Problems("ProcessorGroup.dag = [\n"
                       "  (@synths.Theremin(), ['a']),\n"
                       "  (@synths.Harmonic, ['a']),\n"
                       "  (@effects.Reverb(), 'a'),\n"
                       "  ('nobody', ['a']),\n"
                       "  [@processors.Add()],\n"
                       "]\n"
                       "Harmonic.n_sample = 3\n"
                       "exp_sigmoid.exponent = 5.0\n"
                       "Reverb.reverb_length = [1, 'x']\n"),
              AllOf(HasSubstr("a.gin:2:4: unknown configurable 'synths.Theremin'"),
                    HasSubstr("a.gin:3:4: a module is @synths.Harmonic, expected @class()"),
                    HasSubstr("a.gin:4:23: keys are the text 'a', expected a list of texts"),
                    HasSubstr("a.gin:5:4: ProcessorGroup has no module 'nobody'"),
                    HasSubstr("a.gin:6:3: a node is (module, [input keys])"),
                    HasSubstr("a.gin:8:1: Harmonic has no parameter 'n_sample'"),
                    HasSubstr("a.gin:9:1: exp_sigmoid.exponent is 5.0, which a graph cannot have: it is 10.0 here"),
                    HasSubstr("a.gin:10:24: reverb_length has items that are neither integers")));
}

TEST(GraphFromGin, ProblemsOfTheGraphNameThePlaceTooAndTheNode) {
  const auto spec = GraphFromGin(*gin::ParseConfig(
      "ProcessorGroup.dag = [\n  (@processors.Crop(), ['add/signal']),\n  (@processors.Add(), ['x', 'crop/sign'])]\n"
      "processors.Add.name = 'add'\nCrop.frame_size = -2",
      "a.gin"));
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_THAT(std::string(ValidateGraphSpec(*spec).status().message()),
              AllOf(HasSubstr("a.gin:2:4: node crop: input 'add/signal' is computed by a later node"),
                    HasSubstr("a.gin:2:4: node crop: frame_size")));
}

TEST(GraphFromGin, SaysWhichGraphsThereAre) {
  EXPECT_THAT(Problems("train.num_steps = 1"), HasSubstr("binds no ProcessorGroup.dag"));
  EXPECT_THAT(Problems("a/LossGroup.dag = []\nb/LossGroup.dag = []"),
              HasSubstr("several graphs: a/LossGroup.dag, b/LossGroup.dag"));
}

}  // namespace
}  // namespace ddsp
