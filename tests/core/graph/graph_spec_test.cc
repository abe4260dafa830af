#include "core/graph/graph_spec.h"

#include "core/graph/processor_group.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Harmonics and noise through a trainable reverb, cropped: the VST recipe, small.
GraphSpec VstGraph() {
  const ArgValue samples = int64_t{640};
  GraphSpec spec;
  spec.inputs = {"amps", "harmonic_distribution", "noise_magnitudes", "f0_hz"};
  spec.nodes = {
      {"harmonic", "synths.Harmonic", {{"n_samples", samples}}, {"amps", "harmonic_distribution", "f0_hz"}},
      {"filtered_noise",
       "synths.FilteredNoise",
       {{"n_samples", samples}, {"window_size", int64_t{0}}},
       {"inputs/noise_magnitudes"}},
      {"add", "processors.Add", {}, {"filtered_noise/signal", "harmonic/signal"}},
      {"reverb",
       "effects.FilteredNoiseReverb",
       {{"trainable", true}, {"reverb_length", int64_t{200}}, {"n_frames", int64_t{10}}},
       {"add/signal"}},
      {"crop", "processors.Crop", {{"frame_size", int64_t{64}}}, {"reverb/signal"}},
  };
  return spec;
}

NamedTensors VstInputs() {
  return {{"amps", at::randn({2, 10, 1})},
          {"harmonic_distribution", at::randn({2, 10, 8})},
          {"noise_magnitudes", at::randn({2, 10, 17})},
          {"f0_hz", at::full({2, 10, 1}, 300.0)}};
}

TEST(ProcessorGroup, ReturnsEveryIntermediate) {
  const ProcessorGroup group(*ValidateGraphSpec(VstGraph()));
  GroupContext context;
  context.parameters = InitialParameters(group);
  const auto results = group.Run(VstInputs(), context);
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ(results->at("out/signal").sizes(), (std::vector<int64_t>{2, 576}));
  EXPECT_EQ(results->at("reverb/controls/ir").sizes(), (std::vector<int64_t>{2, 200}));
  EXPECT_TRUE(results->contains("harmonic/controls/harmonic_distribution"));
  EXPECT_TRUE(at::equal(results->at("out/signal"), results->at("crop/signal")));
}

TEST(ProcessorGroup, GradientsReachParametersAndInputs) {
  const ProcessorGroup group(*ValidateGraphSpec(VstGraph()));
  GroupContext context;
  context.parameters = InitialParameters(group);
  context.parameters.at("reverb/magnitudes").requires_grad_(true);
  NamedTensors inputs = VstInputs();
  inputs.at("amps").requires_grad_(true);
  group.GetSignal(inputs, context)->square().sum().backward();
  EXPECT_GT(context.parameters.at("reverb/magnitudes").grad().abs().sum().item<float>(), 0);
  EXPECT_GT(inputs.at("amps").grad().abs().sum().item<float>(), 0);
}

TEST(ProcessorGroup, NamesAnInputThatIsNotGiven) {
  const ProcessorGroup group(*ValidateGraphSpec(VstGraph()));
  NamedTensors inputs = VstInputs();
  inputs.erase("f0_hz");
  const auto results = group.Run(inputs);
  EXPECT_EQ(results.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(results.status().message()), HasSubstr("f0_hz"));
}

TEST(ValidateGraphSpec, ReportsAllErrorsWithTheirNodes) {
  GraphSpec spec = VstGraph();
  spec.nodes[0].class_name = "synths.Theremin";
  spec.nodes[1].inputs = {"nose_magnitudes"};
  spec.nodes[2].inputs = {"filtered_noise/signal", "crop/signal"};  // computed later
  spec.nodes[3].name = "add";
  const auto status = ValidateGraphSpec(spec).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("node harmonic: no class 'synths.Theremin'"),
                    HasSubstr("node filtered_noise: input 'nose_magnitudes'"),
                    HasSubstr("node add: input 'crop/signal' is computed by a later node"),
                    HasSubstr("another node has the same name")));
}

TEST(ValidateGraphSpec, RejectsCyclesWrongPortsAndUnknownResults) {
  GraphSpec spec = VstGraph();
  spec.nodes[2].inputs = {"add/signal"};
  spec.nodes[4].inputs = {"reverb/controls/tail"};
  const std::string message(ValidateGraphSpec(spec).status().message());
  EXPECT_THAT(message,
              AllOf(HasSubstr("input 'add/signal' is computed by the node itself"), HasSubstr("has 1 inputs, expected"),
                    HasSubstr("node crop: input 'reverb/controls/tail': node reverb has no such result")));
}

TEST(GraphSpec, ModulesAreCalledLikeTheirClasses) {
  EXPECT_EQ(DefaultModuleName("synths.FilteredNoise"), "filtered_noise");
  EXPECT_EQ(DefaultModuleName("effects.FIRFilter"), "fir_filter");
  EXPECT_EQ(DefaultModuleName("losses.KDEConsistencyLoss"), "kde_consistency_loss");
  EXPECT_EQ(DefaultModuleName("Add"), "add");
}

}  // namespace
}  // namespace ddsp
