// `ddsp graph` and `ddsp gin` as a user meets them.
#include "core/base/file.h"
#include "core/base/safetensors.h"
#include "core/base/wav.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/run_program.h"
#include "tests/client/support/live_server.h"

namespace ddsp::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kGraphs[] = DDSP_TESTDATA "/gin/graphs/";

class GraphCli : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return folder_.path() + "/" + name; }
  std::string Write(const std::string& name, const std::string& text) const {
    EXPECT_TRUE(WriteFileAtomically(Path(name), text).ok());
    return Path(name);
  }
  static ProgramResult Ddsp(const std::string& arguments) {
    return RunProgram(std::string(DDSP_PROGRAM) + " " + arguments);
  }

  // Ten frames of a swelling note with some noise.
  std::string WriteControls() const {
    std::vector<float> amps, distribution, f0, noise;
    for (int t = 0; t < 10; ++t) {
      amps.push_back(0.2f * static_cast<float>(t));
      f0.push_back(440);
      for (int k = 0; k < 8; ++k) distribution.push_back(k == 0 ? 1 : -1);
      for (int k = 0; k < 9; ++k) noise.push_back(1);
    }
    SafetensorsWriter writer;
    writer.AddFloats("amps", {1, 10, 1}, amps.data());
    writer.AddFloats("harmonic_distribution", {1, 10, 8}, distribution.data());
    writer.AddFloats("f0_hz", {1, 10, 1}, f0.data());
    writer.AddFloats("noise_magnitudes", {1, 10, 9}, noise.data());
    EXPECT_TRUE(writer.Write(Path("controls.safetensors")).ok());
    return Path("controls.safetensors");
  }
  ProgramResult RunGraph(const std::string& graph, const std::string& arguments = "") const {
    return Ddsp("graph run " + graph + " --in " + WriteControls() + " --out " + Path("out.safetensors") + " " +
                arguments);
  }

  TempDir folder_;
};

TEST_F(GraphCli, RunWritesTheSignalAndWhatTheLastNodeWasGiven) {
  const ProgramResult result = RunGraph(kGraphs + std::string("harmonic_plus_noise.gin"), "--wav " + Path("out.wav"));
  ASSERT_EQ(result.exit_code, 0) << result.said;
  const auto out = Safetensors::Read(Path("out.safetensors"));
  EXPECT_THAT(out->Names(), ::testing::ElementsAre("out/controls/audio", "out/signal"));
  EXPECT_THAT(out->Get("out/signal")->shape, ::testing::ElementsAre(1, 2880));
  const auto wav = ReadWav(Path("out.wav"));
  EXPECT_EQ(wav->sample_rate, 16000);
  EXPECT_EQ(wav->samples, *out->GetFloats("out/signal"));
}

TEST_F(GraphCli, AllWritesEveryIntermediate) {
  const ProgramResult result = RunGraph(kGraphs + std::string("harmonic_plus_noise.gin"), "--all");
  ASSERT_EQ(result.exit_code, 0) << result.said;
  EXPECT_THAT(Safetensors::Read(Path("out.safetensors"))->Names(),
              ::testing::IsSupersetOf({"harmonic/controls/f0_hz", "harmonic/signal", "filtered_noise/signal",
                                       "add/controls/signal_one", "crop/signal", "out/signal"}));
}

TEST_F(GraphCli, TheSeedDecidesTheSamplesAndParametersOfTheFileCanBeOverridden) {
  const std::string graph = kGraphs + std::string("harmonic_plus_noise.gin");
  const auto run = [&](const std::string& arguments) {
    const ProgramResult result = RunGraph(graph, arguments);
    EXPECT_EQ(result.exit_code, 0) << result.said;
    return *ReadFile(Path("out.safetensors"));
  };
  EXPECT_EQ(run("--seed 3"), run("--seed 3"));
  EXPECT_NE(run("--seed 3"), run("--seed 4"));
  run("--gin_param n_samples=1600 --gin_param \"Crop.crop_location='front'\"");
  EXPECT_THAT(Safetensors::Read(Path("out.safetensors"))->Get("out/signal")->shape, ::testing::ElementsAre(1, 1280));
}

TEST_F(GraphCli, AServerGivesTheSameBytes) {
  LiveServer server;
  const std::string graph = kGraphs + std::string("harmonic_plus_noise.gin");
  ASSERT_EQ(RunGraph(graph, "--all --seed 9").exit_code, 0);
  const std::string local = *ReadFile(Path("out.safetensors"));
  const ProgramResult remote = RunGraph(graph, "--all --seed 9 --server " + server.address());
  ASSERT_EQ(remote.exit_code, 0) << remote.said;
  EXPECT_EQ(*ReadFile(Path("out.safetensors")), local);
}

TEST_F(GraphCli, ATextprotoIsAGraphToo) {
  const std::string graph = Write("crop.textproto",
                                  "nodes { name: 'crop' type: 'Crop' inputs: 'amps' "
                                  "numbers { key: 'frame_size' value: 4 } }");
  const ProgramResult shown = Ddsp("graph show " + graph);
  EXPECT_EQ(shown.said, "inputs: amps\n\ncrop = Crop(frame_size=4)\n  audio <- inputs/amps\n"
                        "  -> signal, controls/audio\n\nout = crop\n");
  EXPECT_THAT(Ddsp("graph show --dot " + graph).said, HasSubstr("\"inputs/amps\" -> \"crop\""));
}

TEST_F(GraphCli, CheckReportsEverythingAndFails) {
  EXPECT_EQ(Ddsp("graph check " + std::string(kGraphs) + "two_voices.gin").exit_code, 0);
  const std::string bad = Write("bad.gin",
                                "ProcessorGroup.dag = [\n  (@processors.Crop(), ['add/signal']),\n"
                                "  (@processors.Add(), ['crop/signal']),\n]\nprocessors.Add.name = 'add'\n");
  const ProgramResult result = Ddsp("graph check " + bad);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.said, AllOf(HasSubstr("bad.gin:2:4: node crop: input 'add/signal' is computed by a later node"),
                                 HasSubstr("bad.gin:3:4: node add: has 1 inputs, expected signal_one, signal_two")));
  EXPECT_THAT(Ddsp("graph check " + Write("worse.gin", "a = (\n")).said, HasSubstr("worse.gin:1:5"));
  EXPECT_THAT(Ddsp("graph check " + Write("graph.json", "{}")).said, HasSubstr("a .gin or a .textproto file"));
}

TEST_F(GraphCli, RunNamesTheControlThatIsMissing) {
  const std::string graph = Write("g.textproto",
                                  "nodes { name: 'crop' type: 'Crop' inputs: 'loudness' "
                                  "numbers { key: 'frame_size' value: 4 } }");
  const ProgramResult result = RunGraph(graph);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.said, HasSubstr("graph input loudness is not given"));
}

TEST_F(GraphCli, GinUpdateWritesBesideTheFileUnlessTold) {
  const std::string old = Write("operative_config-0.gin", *ReadFile(DDSP_TESTDATA "/gin/old/operative_2020.gin"));
  const ProgramResult result = Ddsp("gin update " + old);
  ASSERT_EQ(result.exit_code, 0) << result.said;
  EXPECT_THAT(result.said, HasSubstr("removed SpectralLoss.delta_delta_freq_weight"));
  const std::string updated = *ReadFile(Path("updated_operative_config-0.gin"));
  EXPECT_THAT(updated, AllOf(HasSubstr("RnnFcDecoder.input_keys = (\"f0_scaled\", \"ld_scaled\")"),
                             Not(HasSubstr("delta_delta"))));
  EXPECT_EQ(Ddsp("gin show " + Path("updated_operative_config-0.gin")).exit_code, 0);
  EXPECT_THAT(Ddsp("gin show " + old).said, HasSubstr("unknown configurable 'ZRnnFcDecoder'"));
  ASSERT_EQ(Ddsp("gin update --overwrite " + old).exit_code, 0);
  EXPECT_EQ(*ReadFile(old), updated);
}

TEST_F(GraphCli, FeaturesAreTheSameFromAServer) {
  LiveServer server;
  ASSERT_TRUE(WriteWav(Path("in.wav"), {16000, 1, TestMelody(16000, 16000)}).ok());
  ASSERT_EQ(Ddsp("features " + Path("in.wav") + " --out " + Path("local.csv")).exit_code, 0);
  const ProgramResult remote =
      Ddsp("features " + Path("in.wav") + " --out " + Path("remote.csv") + " --server " + server.address());
  ASSERT_EQ(remote.exit_code, 0) << remote.said;
  EXPECT_EQ(*ReadFile(Path("local.csv")), *ReadFile(Path("remote.csv")));
}

}  // namespace
}  // namespace ddsp::testing
