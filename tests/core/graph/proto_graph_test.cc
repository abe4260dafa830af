#include "core/graph/proto_graph.h"

#include "core/graph/validated_graph.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kGraph[] = R"(
nodes {
  name: "harmonic"
  type: "synths.Harmonic"
  inputs: ["amps", "harmonic_distribution", "f0_hz"]
  numbers { key: "n_samples" value: 640 }
  flags { key: "normalize_below_nyquist" value: false }
  texts { key: "scale_fn" value: "" }
}
nodes {
  name: "loss"
  type: "losses.SpectralLoss"
  inputs: ["audio", "harmonic/signal"]
  lists { key: "fft_sizes" value { values: [64, 32] } }
  numbers { key: "mag_weight" value: 0.5 }
}
)";

TEST(ProtoGraph, ReadsEveryTypeOfArgument) {
  const auto spec = GraphFromText(kGraph);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_THAT(spec->inputs, ElementsAre("amps", "harmonic_distribution", "f0_hz", "audio"));
  const ConstructorArgs& args = spec->nodes[0].args;
  EXPECT_EQ(std::get<int64_t>(args.at("n_samples")), 640);
  EXPECT_FALSE(std::get<bool>(args.at("normalize_below_nyquist")));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(args.at("scale_fn")));
  EXPECT_EQ(std::get<double>(spec->nodes[1].args.at("mag_weight")), .5);
  EXPECT_TRUE(ValidateGraphSpec(*spec).ok()) << ValidateGraphSpec(*spec).status();
}

TEST(ProtoGraph, WritesWhatItReads) {
  const v1::GraphSpec proto = GraphToProto(*GraphFromText(kGraph));
  EXPECT_EQ(GraphToProto(*GraphFromProto(proto)).SerializeAsString(), proto.SerializeAsString());
  EXPECT_EQ(GraphFromProto(proto)->nodes[1].args, GraphFromText(kGraph)->nodes[1].args);
}

TEST(ProtoGraph, RejectsUnknownFieldsAndDoubleArguments) {
  EXPECT_THAT(std::string(GraphFromText("nodes {\n  nome: 'x'\n}", "g.textproto").status().message()),
              HasSubstr("g.textproto: line 2, column 7"));
  EXPECT_THAT(std::string(GraphFromText("nodes { name: 'a' type: 'Crop' numbers { key: 'frame_size' value: 2 } "
                                        "flags { key: 'frame_size' value: true } }")
                              .status()
                              .message()),
              HasSubstr("node a: argument frame_size is given twice"));
}

// A key that is misspelt becomes a graph input unless the text says which inputs there are.
TEST(ProtoGraph, GivenInputsAreAllThereAre) {
  const auto spec = GraphFromText("inputs: 'a' nodes { name: 'add' type: 'processors.Add' inputs: ['a', 'b'] }");
  EXPECT_THAT(std::string(ValidateGraphSpec(*spec).status().message()),
              HasSubstr("node add: input 'b' is neither a graph input (a) nor a node's result"));
}

}  // namespace
}  // namespace ddsp
