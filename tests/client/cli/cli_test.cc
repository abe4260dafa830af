// The program as a user meets it: what it writes, what it says, how it exits.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/base/file.h"
#include "core/base/wav.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/support/live_server.h"
#include "tests/support/run_program.h"

namespace ddsp::testing {
namespace {

using ::testing::HasSubstr;

class Cli : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = new LiveServer; }
  static void TearDownTestSuite() { delete server_, server_ = nullptr; }

  std::string Path(const std::string& name) const { return folder_.path() + "/" + name; }
  std::string WriteMelody(const std::string& name, int rate = 16000, double seconds = 1.5) {
    const auto samples = static_cast<int64_t>(seconds * rate);
    EXPECT_TRUE(WriteWav(Path(name), {rate, 1, TestMelody(samples, rate)}).ok());
    return Path(name);
  }
  static ProgramResult Ddsp(const std::string& arguments) {
    return RunProgram(std::string(DDSP_PROGRAM) + " " + arguments);
  }
  // In process unless `arguments` name a server.
  ProgramResult Transfer(const std::string& in, const std::string& out, const std::string& arguments = "") {
    return Ddsp("transfer " + in + " " + Path(out) + " --model test-voice --model-repository " + server_->repository() +
                " " + arguments);
  }
  void ExpectFailure(const ProgramResult& result, int exit_code, const std::string& said) {
    EXPECT_EQ(result.exit_code, exit_code) << result.said;
    EXPECT_THAT(result.said, HasSubstr(said));
  }

  TempDir folder_;
  static LiveServer* server_;
};
LiveServer* Cli::server_ = nullptr;

TEST_F(Cli, TransferGivesTheSameSamplesInProcessAndLive) {
  const std::string in = WriteMelody("in.wav");
  for (const std::string arguments :
       {"", "--seed 9 --pitch-shift -12 --loudness-shift 6", "--no-tail --chunk-ms 3.3", "--rate 44100"}) {
    const ProgramResult local = Transfer(in, "local.wav", arguments);
    ASSERT_EQ(local.exit_code, 0) << local.said;
    EXPECT_THAT(local.said, HasSubstr("voice test-voice/1, profile neutral"));
    const ProgramResult live = Transfer(in, "live.wav", arguments + " --server " + server_->address());
    ASSERT_EQ(live.exit_code, 0) << live.said;
    EXPECT_EQ(*ReadFile(Path("local.wav")), *ReadFile(Path("live.wav"))) << arguments;
  }
}

TEST_F(Cli, TransferKeepsTheInputsRateAndLength) {
  for (int rate : {8000, 44100, 96000, 192000}) {
    const ProgramResult result = Transfer(WriteMelody("in.wav", rate, 0.5), "out.wav", "--no-tail");
    ASSERT_EQ(result.exit_code, 0) << result.said;
    const auto out = ReadWav(Path("out.wav"));
    EXPECT_EQ(out->sample_rate, rate);
    EXPECT_NEAR(out->frames(), rate / 2, rate / 8000.0);
  }
  const ProgramResult result = Transfer(WriteMelody("in.wav"), "out.wav", "--no-tail --rate 48000 --16-bit");
  ASSERT_EQ(result.exit_code, 0) << result.said;
  EXPECT_EQ(ReadWav(Path("out.wav"))->frames(), 72000);
}

TEST_F(Cli, TransferAdjustsWithTheWholeRecording) {
  const std::string in = WriteMelody("in.wav");
  ASSERT_EQ(Transfer(in, "plain.wav").exit_code, 0);
  const ProgramResult adjusted = Transfer(in, "adjusted.wav", "--adjust --quiet 30 --autotune 0.5 --threshold 0.9");
  ASSERT_EQ(adjusted.exit_code, 0) << adjusted.said;
  EXPECT_NE(*ReadFile(Path("plain.wav")), *ReadFile(Path("adjusted.wav")));
  EXPECT_EQ(ReadWav(Path("plain.wav"))->samples.size(), ReadWav(Path("adjusted.wav"))->samples.size());
  const std::string live = "--adjust --server " + server_->address();
  ExpectFailure(Transfer(in, "x.wav", live + " --realtime"), 2, "--adjust");
  ExpectFailure(Transfer(in, "x.wav", live + " --codec opus"), 2, "--adjust");
  ExpectFailure(Transfer(in, "x.wav", "--adjust --threshold 3"), 2, "--threshold");
  ExpectFailure(Transfer(in, "x.wav", "--quiet 3"), 2, "--quiet");
}

// 1.5 s are no whole number of frames, and 44.1 kHz is resampled on the way in and out.
TEST_F(Cli, TransferAdjustsTheSameInProcessAndByAServer) {
  const std::string in[] = {WriteMelody("a.wav", 16000, 1.5003), WriteMelody("b.wav", 44100)};
  for (const auto& [file, arguments] : {std::pair{in[0], "--quiet 30 --autotune 0.5 --threshold 0.9 --seed 3"},
                                        {in[0], "--no-tail --pitch-shift 2 --rate 48000"},
                                        {in[1], "--quiet 5"}}) {
    const ProgramResult local = Transfer(file, "local.wav", std::string("--adjust ") + arguments);
    ASSERT_EQ(local.exit_code, 0) << local.said;
    const ProgramResult remote =
        Transfer(file, "remote.wav", std::string("--adjust ") + arguments + " --server " + server_->address());
    ASSERT_EQ(remote.exit_code, 0) << remote.said;
    EXPECT_EQ(*ReadFile(Path("local.wav")), *ReadFile(Path("remote.wav"))) << arguments;
  }
}

TEST_F(Cli, TransferNamesTheSizeThatOneMessageHas) {
  const ProgramResult result =
      Transfer(WriteMelody("in.wav", 16000, 70), "x.wav", "--adjust --server " + server_->address());
  ExpectFailure(result, 1, "RESOURCE_EXHAUSTED");
  EXPECT_THAT(result.said, HasSubstr("4194304"));
}

TEST_F(Cli, TransferPacedReportsBlockLatency) {
  const std::string in = WriteMelody("in.wav", 16000, 0.5);
  const ProgramResult result =
      Transfer(in, "out.wav", "--realtime --codec opus --json " + Path("f.json") + " --server " + server_->address());
  ASSERT_EQ(result.exit_code, 0) << result.said;
  const nlohmann::json figures = nlohmann::json::parse(*ReadFile(Path("f.json")));
  EXPECT_EQ(figures["latency_samples"], 832);
  EXPECT_GT(figures["block_latency"]["blocks"], 5);
  EXPECT_GE(figures["seconds"], 0.5);
}

TEST_F(Cli, ProfilesAreMeasuredAndUsed) {
  const std::string in = WriteMelody("alto.wav", 16000, 3);
  ASSERT_EQ(Ddsp("profile " + in + " --out " + Path("p")).exit_code, 0);
  const ProgramResult live = Transfer(in, "out.wav", "--profile " + Path("p") + " --server " + server_->address());
  EXPECT_THAT(live.said, HasSubstr("profile alto"));
  ExpectFailure(Ddsp("profile " + WriteMelody("short.wav", 16000, 0.2) + " --out " + Path("q")), 1, "short.wav");
  ExpectFailure(Transfer(in, "out.wav", "--profile " + in), 1, "alto.wav");
}

TEST_F(Cli, FeaturesAreACsvOfEveryFrame) {
  const ProgramResult result = Ddsp("features " + WriteMelody("in.wav") + " --out " + Path("f.csv"));
  ASSERT_EQ(result.exit_code, 0) << result.said;
  std::istringstream csv(*ReadFile(Path("f.csv")));
  std::string line;
  std::getline(csv, line);
  EXPECT_EQ(line, "time_s,f0_hz,f0_confidence,voiced,loudness_db,power_db");
  int rows = 0;
  for (double time, f0; std::getline(csv, line); ++rows) {
    ASSERT_EQ(std::count(line.begin(), line.end(), ','), 5);
    std::sscanf(line.c_str(), "%lf,%lf", &time, &f0);
    EXPECT_NEAR(time, rows / 100.0, 1e-9);
    EXPECT_GE(f0, 50);
    EXPECT_LE(f0, 2100);
  }
  EXPECT_EQ(rows, 151);
  ExpectFailure(Ddsp("features " + Path("in.wav") + " --out " + Path("f.csv") + " --frame-rate 99"), 1, "99");
}

TEST_F(Cli, EveryBadFileIsNamedWithItsReason) {
  const std::string letter = Path("letter.wav"), empty = Path("empty.wav"), silent = Path("zero.wav"),
                    nan = Path("nan.wav");
  ASSERT_TRUE(WriteFileAtomically(letter, "This is no audio, whatever it is called.").ok());
  ASSERT_TRUE(WriteFileAtomically(empty, "").ok());
  ASSERT_TRUE(WriteWav(silent, {16000, 1, {}}).ok());
  ASSERT_TRUE(WriteWav(nan, {16000, 1, {0, std::numeric_limits<float>::quiet_NaN()}}).ok());
  for (const std::string command : {"features", "profile", "spectrogram"}) {
    const auto run = [&](const std::string& file) { return Ddsp(command + " " + file + " --out " + Path("out")); };
    ExpectFailure(run(letter), 1, letter + ": is no audio file");
    ExpectFailure(run(empty), 1, empty + ": the file is empty");
    ExpectFailure(run(silent), 1, silent + ": holds no samples");
    ExpectFailure(run(nan), 1, nan + ": sample 1 is nan");
    ExpectFailure(run(Path("missing.wav")), 1, Path("missing.wav"));
  }
  ExpectFailure(Transfer(empty, "out.wav"), 1, empty + ": the file is empty");
}

TEST_F(Cli, StereoAnd24BitAndFlacAreRead) {
  std::vector<float> stereo;
  for (float sample : TestMelody(8000)) stereo.insert(stereo.end(), {sample, sample});
  ASSERT_TRUE(WriteWav(Path("stereo.wav"), {16000, 2, stereo}, WavEncoding::kPcm16).ok());
  const ProgramResult result = Transfer(Path("stereo.wav"), "out.wav", "--no-tail");
  EXPECT_EQ(result.exit_code, 0) << result.said;
  EXPECT_EQ(ReadWav(Path("out.wav"))->frames(), 8000);
}

TEST_F(Cli, SaysWhatIsWrongWithAVoiceOrAServer) {
  const std::string in = WriteMelody("in.wav");
  ExpectFailure(
      Ddsp("transfer " + in + " " + Path("o.wav") + " --model kazoo --model-repository " + server_->repository()), 1,
      "kazoo");
  ExpectFailure(Ddsp("transfer " + in + " " + Path("o.wav") + " --model-repository " + Path("nowhere")), 1,
                Path("nowhere"));
  ExpectFailure(Ddsp("transfer " + in + " " + Path("o.wav") + " --model kazoo --server " + server_->address()), 1,
                "MODEL_NOT_FOUND");
  ExpectFailure(Ddsp("transfer " + in + " " + Path("o.wav") + " --server 127.0.0.1:1"), 1, "UNAVAILABLE");
  ExpectFailure(Transfer(in, "no/such/folder/o.wav"), 1, "no/such/folder");
}

TEST_F(Cli, UsageErrorsAreTwo) {
  ExpectFailure(Ddsp(""), 2, "subcommand");
  ExpectFailure(Ddsp("sing"), 2, "subcommand");
  ExpectFailure(Ddsp("transfer a.wav"), 2, "OUT");
  ExpectFailure(Ddsp("transfer a.wav b.wav --pitch-shift 100"), 2, "--pitch-shift");
  ExpectFailure(Ddsp("transfer a.wav b.wav --codec mp3"), 2, "--codec");
  ExpectFailure(Ddsp("transfer a.wav b.wav --codec opus"), 2, "--server");
  ExpectFailure(Ddsp("transfer a.wav b.wav --realtime"), 2, "--server");
  EXPECT_EQ(Ddsp("transfer --help").exit_code, 0);
}

TEST_F(Cli, VoicesAreListedAndVerified) {
  const ProgramResult list = Ddsp("model list " + server_->repository());
  EXPECT_EQ(list.exit_code, 0);
  EXPECT_THAT(list.said, HasSubstr("test-voice/1"));
  EXPECT_EQ(Ddsp("model verify " + server_->repository() + "/test-voice/1").exit_code, 0);
  EXPECT_EQ(Ddsp("model verify " + server_->repository() + "/test-voice").exit_code, 0);
  ExpectFailure(Ddsp("model verify " + Path("nowhere")), 1, Path("nowhere"));
}

TEST_F(Cli, VerifyFindsAFlippedBit) {
  const std::string version = WriteTestBundle(folder_.path());
  std::string weights = *ReadFile(version + "/weights.safetensors");
  weights[weights.size() / 2] ^= 1;
  std::ofstream(version + "/weights.safetensors", std::ios::binary) << weights;
  ExpectFailure(Ddsp("model verify " + version), 1, "weights.safetensors");
}

TEST_F(Cli, SpectrogramsAreDrawn) {
  const std::string in = WriteMelody("in.wav");
  ASSERT_EQ(Ddsp("spectrogram " + in + " " + in + " --out " + Path("s.png") + " --log").exit_code, 0);
  EXPECT_EQ(ReadFile(Path("s.png"))->substr(1, 3), "PNG");
  ExpectFailure(Ddsp("spectrogram " + in + " --out " + Path("no/s.png")), 1, Path("no/s.png"));
  // Of a voice that plays at 48 kHz nothing is cut off.
  ASSERT_EQ(Ddsp("spectrogram " + in + " --out " + Path("t.png") + " --sample-rate 48000").exit_code, 0);
  EXPECT_NE(ReadFile(Path("t.png")), ReadFile(Path("s.png")));
  ExpectFailure(Ddsp("spectrogram " + in + " --out " + Path("t.png") + " --sample-rate 0"), 2, "--sample-rate");
}

}  // namespace
}  // namespace ddsp::testing
