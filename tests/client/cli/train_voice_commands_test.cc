// From recordings to a voice on the command line: prepare, stats, show, train, eval, export.
#include <cmath>
#include <filesystem>
#include <numbers>

#include "core/base/file.h"
#include "core/base/wav.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/run_program.h"
#include "tests/support/test_voice.h"

namespace ddsp::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class TrainVoiceCommands : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return folder_.path() + "/" + name; }
  static ProgramResult Ddsp(const std::string& arguments) {
    return RunProgram(std::string(DDSP_PROGRAM) + " " + arguments);
  }

  // Notes of a second.
  void WriteNotes(const std::string& name, double seconds, double base_hz = 220) const {
    Wav wav{16000, 1, std::vector<float>(static_cast<size_t>(seconds * 16000))};
    for (size_t i = 0; i < wav.samples.size(); ++i) {
      const double hz = base_hz * std::exp2(static_cast<double>(i / 16000 % 5) / 6);
      const double phase = 2 * std::numbers::pi * hz * static_cast<double>(i) / 16000;
      wav.samples[i] = static_cast<float>(0.2 * (std::sin(phase) + 0.5 * std::sin(2 * phase)));
    }
    fs::create_directories(fs::path(Path(name)).parent_path());
    ASSERT_TRUE(WriteWav(Path(name), wav, WavEncoding::kPcm16).ok());
  }

  TempDir folder_;
};

TEST_F(TrainVoiceCommands, PrepareMakesASetThatStatsAndShowDescribe) {
  WriteNotes("takes/a.wav", 40);
  WriteNotes("takes/sub/b.wav", 25, 300);
  WriteNotes("takes/.hidden/c.wav", 5);
  ASSERT_TRUE(WriteFileAtomically(Path("takes/letter.wav"), "no audio").ok());
  const std::string command = "dataset prepare " + Path("takes") + " --out " + Path("set");
  const ProgramResult made = Ddsp(command);
  ASSERT_EQ(made.exit_code, 0) << made.said;
  EXPECT_THAT(made.said, AllOf(HasSubstr("2 recordings, 65.0 s"), HasSubstr("skipped: letter.wav: is no audio file")));
  EXPECT_THAT(Ddsp(command).said, HasSubstr("is up to date"));
  const ProgramResult other = Ddsp(command + " --hop-secs 0.5");
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.said, HasSubstr("--overwrite"));
  EXPECT_EQ(Ddsp(command + " --hop-secs 0.5 --overwrite").exit_code, 0);
  const ProgramResult stats = Ddsp("dataset stats " + Path("set") + " --json " + Path("stats.json"));
  ASSERT_EQ(stats.exit_code, 0) << stats.said;
  const auto json = nlohmann::json::parse(*ReadFile(Path("stats.json")));
  EXPECT_EQ(json["recordings"], 2);
  EXPECT_EQ(json["skipped"][0]["name"], "letter.wav");
  EXPECT_EQ(json["power_db"]["quantiles"].size(), 101);
  const ProgramResult shown = Ddsp("dataset show " + Path("set"));
  EXPECT_THAT(shown.said, AllOf(HasSubstr("examples of 4 s every 0.5 s, in chunks of 20 s"), HasSubstr("sub/b.wav")));
}

TEST_F(TrainVoiceCommands, PrepareSaysWhatIsWrong) {
  WriteNotes("takes/a.wav", 2);
  const std::string out = " --out " + Path("set");
  const auto expect = [&](const std::string& arguments, int code, const std::string& said) {
    const ProgramResult result = Ddsp("dataset prepare " + arguments + out);
    EXPECT_EQ(result.exit_code, code) << result.said;
    EXPECT_THAT(result.said, HasSubstr(said));
  };
  fs::create_directories(Path("empty"));
  expect(Path("nowhere"), 1, "nowhere: no such file");
  expect(Path("empty"), 1, "holds no recordings");
  expect(Path("takes") + " --example-secs 0.015", 1, "--example-secs 0.015 is no whole number of frames");
  expect(Path("takes") + " --chunk-secs 2", 1, "--chunk-secs 2 is shorter than an example");
  expect(Path("takes") + " --frame-rate 33", 1, "33");
  EXPECT_FALSE(fs::exists(Path("set/dataset.safetensors")));
}

TEST_F(TrainVoiceCommands, ASetIsTrainedOnEvaluatedAndExported) {
  WriteNotes("takes/a.wav", 45);
  ASSERT_EQ(Ddsp("dataset prepare " + Path("takes") + " --out " + Path("set")).exit_code, 0);
  const ProgramResult trained = Ddsp("train " + Path("set") + " --out " + Path("voices/tone/1") +
                                     " --steps 3 --batch 2 --example-steps 2 --steps-per-summary 1");
  ASSERT_EQ(trained.exit_code, 0) << trained.said;
  EXPECT_THAT(trained.said, HasSubstr("raw pitch and chroma accuracy"));
  EXPECT_TRUE(fs::exists(Path("voices/tone/1.training/logs/examples")));

  const std::string on = " --data " + Path("set");
  const ProgramResult of_voice = Ddsp("eval " + Path("voices/tone/1") + on + " --json " + Path("eval.json"));
  ASSERT_EQ(of_voice.exit_code, 0) << of_voice.said;
  const auto json = nlohmann::json::parse(*ReadFile(Path("eval.json")));
  EXPECT_NEAR(json["held_out_seconds"], 4.5, 0.1);
  for (const char* key : {"loudness_l1_db", "f0_l1_semitones", "f0_outliers", "raw_pitch_accuracy",
                          "raw_chroma_accuracy", "rendered_spectral_loss"}) {
    EXPECT_TRUE(json[key].is_number()) << key;
  }
  // By the model's folder, and by its name.
  EXPECT_EQ(Ddsp("eval " + Path("voices/tone") + on).said, of_voice.said);
  EXPECT_EQ(Ddsp("eval tone --model-repository " + Path("voices") + on).said, of_voice.said);
  const ProgramResult of_run = Ddsp("eval " + Path("voices/tone/1.training") + on + " --out " + Path("sounds"));
  ASSERT_EQ(of_run.exit_code, 0) << of_run.said;
  EXPECT_THAT(of_run.said, HasSubstr("step 3"));
  EXPECT_FALSE(fs::is_empty(Path("sounds")));

  const std::string exporting = "export " + Path("voices/tone/1.training") + " --out " + Path("voices/tone/2");
  EXPECT_THAT(Ddsp(exporting).said, HasSubstr("give it, or its recordings, by --data"));
  const ProgramResult exported = Ddsp(exporting + on);
  ASSERT_EQ(exported.exit_code, 0) << exported.said;
  EXPECT_THAT(exported.said, HasSubstr("tone/2 of step 3"));
  EXPECT_EQ(*ReadFile(Path("voices/tone/2/weights.safetensors")), *ReadFile(Path("voices/tone/1/weights.safetensors")));
}

TEST_F(TrainVoiceCommands, ARunIsLookedAtAndGoneOnWith) {
  WriteNotes("takes/a.wav", 45);
  const std::string command = "train " + Path("takes") + " --batch 2 --example-steps 0 --out ";
  const std::string first = command + Path("voices/tone/1");
  EXPECT_THAT(Ddsp(first + " --mode eval --once").said, HasSubstr("no checkpoint yet"));
  ASSERT_EQ(Ddsp(first + " --steps 2").exit_code, 0);
  const ProgramResult measured = Ddsp(first + " --mode eval --once");
  ASSERT_EQ(measured.exit_code, 0) << measured.said;
  EXPECT_THAT(measured.said, AllOf(HasSubstr("step 2: spectral loss"), HasSubstr("RPA")));
  EXPECT_THAT(*ReadFile(Path("voices/tone/1.training/logs/eval/metrics.jsonl")), HasSubstr("metrics/f0_outliers"));
  const ProgramResult sampled = Ddsp(first + " --mode sample --once");
  ASSERT_EQ(sampled.exit_code, 0) << sampled.said;
  const std::string samples = Path("voices/tone/1.training/samples/step-000000002/a.wav-");
  EXPECT_EQ(ReadWav(samples + "rendered.wav")->frames(), ReadWav(samples + "original.wav")->frames());

  // The same schedule of the learning rate, or it would be another run.
  const std::string second = command + Path("voices/tone/2") + " --restore-dir " + Path("voices/tone/1.training");
  const ProgramResult other = Ddsp(second + " --steps 3");
  EXPECT_THAT(other.said, HasSubstr("a run with other options"));
  const ProgramResult restored = Ddsp(second + " --steps 2");
  ASSERT_EQ(restored.exit_code, 0) << restored.said;
  EXPECT_THAT(restored.said, HasSubstr("going on from step 2"));
  EXPECT_EQ(*ReadFile(Path("voices/tone/2/weights.safetensors")), *ReadFile(Path("voices/tone/1/weights.safetensors")));
  EXPECT_THAT(Ddsp(command + Path("voices/tone/3") + " --restore-dir " + Path("takes")).said,
              HasSubstr("no checkpoint there"));
}

TEST_F(TrainVoiceCommands, EvalAndExportSayWhatIsWrong) {
  WriteNotes("takes/a.wav", 2);
  const auto expect = [&](const std::string& arguments, const std::string& said) {
    const ProgramResult result = Ddsp(arguments);
    EXPECT_EQ(result.exit_code, 1) << result.said;
    EXPECT_THAT(result.said, HasSubstr(said));
  };
  expect("eval kazoo --data " + Path("takes"), "kazoo");
  expect("eval " + Path("takes") + " --data " + Path("takes"), "neither a checkpoint nor a folder with one");
  expect("eval violin --data " + Path("nowhere"), "nowhere");
  expect("export " + Path("takes/a.wav") + " --out " + Path("v/1"), "a.wav");
  expect("export " + Path("takes") + " --out " + Path("v/one"), "version number");
}

}  // namespace
}  // namespace ddsp::testing
