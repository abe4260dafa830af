#include "worker/runners/output_paths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace ddsp::worker {
namespace {

using testing::ElementsAre;

TEST(OutputPaths, HaveANewEnding) {
  EXPECT_THAT(OutputPaths({"a.flac", "takes/b.WAV", "c", "d.e/f", ".hidden", "g.h.aif"}, ".csv"),
              ElementsAre("a.csv", "takes/b.csv", "c.csv", "d.e/f.csv", ".hidden.csv", "g.h.csv"));
}

TEST(OutputPaths, DifferWhateverTheInputsAre) {
  const std::vector<std::string> outputs =
      OutputPaths({"a.flac", "a.wav", "a", "a.wav.flac", "a.wav.wav", "a.flac.wav"}, ".wav");
  EXPECT_EQ(std::set<std::string>(outputs.begin(), outputs.end()).size(), outputs.size());
  EXPECT_EQ(outputs[0], "a.wav");
  EXPECT_EQ(outputs[1], "a.wav.wav");
}

}  // namespace
}  // namespace ddsp::worker
