#include "core/graph/graph_printer.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using testing::HasSubstr;

ValidatedGraph NoiseInARoom() {
  GraphSpec spec;
  spec.inputs = {"magnitudes"};
  spec.nodes = {{"noise", "synths.FilteredNoise", {{"n_samples", int64_t{320}}}, {"inputs/magnitudes"}},
                {"room", "effects.Reverb", {{"trainable", true}, {"reverb_length", int64_t{100}}}, {"noise/signal"}}};
  return *ValidateGraphSpec(spec);
}

TEST(PrintGraph, SaysWhereEveryPortComesFrom) {
  EXPECT_EQ(PrintGraph(NoiseInARoom()),
            "inputs: magnitudes\n\n"
            "noise = synths.FilteredNoise(n_samples=320)\n"
            "  magnitudes <- inputs/magnitudes\n"
            "  -> signal, controls/magnitudes\n\n"
            "room = effects.Reverb(reverb_length=100, trainable=True)\n"
            "  audio <- noise/signal\n"
            "  -> signal, controls/audio, controls/ir\n"
            "  parameter ir [100]\n\n"
            "out = room\n");
}

TEST(DrawGraph, HasABoxForEachNodeAndAnEdgeForEachPort) {
  const std::string dot = DrawGraph(NoiseInARoom());
  EXPECT_THAT(dot, testing::StartsWith("digraph {\n"));
  EXPECT_THAT(dot, HasSubstr("\"inputs/magnitudes\" [label=\"magnitudes\", shape=ellipse];"));
  EXPECT_THAT(dot, HasSubstr("\"inputs/magnitudes\" -> \"noise\" [label=\"magnitudes\"];"));
  EXPECT_THAT(dot, HasSubstr("\"noise\" -> \"room\" [label=\"signal to audio\"];"));
  EXPECT_THAT(dot, HasSubstr("\"room\" -> \"out\";"));
}

}  // namespace
}  // namespace ddsp
