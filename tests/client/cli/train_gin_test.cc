// `ddsp train DATASET --gin FILE` as a user meets it.
#include <filesystem>

#include "core/base/file.h"
#include "core/base/safetensors.h"
#include "core/base/wav.h"
#include "core/datasets/synthetic_set.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/random_crepe.h"
#include "tests/support/run_program.h"
#include "tests/support/test_voice.h"

namespace ddsp::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kPretrain[] = DDSP_SOURCE_DIR "/configs/papers/icml2020/pretrain_model.gin";
constexpr char kSmall[] =
    " --gin-param \"InverseSynthesis.n_samples=4096\" --gin-param \"ResnetSinusoidalEncoder.size='tiny'\""
    " --gin-param "
    "\"ResnetSinusoidalEncoder.output_splits=(('frequencies',640),('amplitudes',10),('noise_magnitudes',9))\""
    " --gin-param \"spectrogram/compute_logmel.bins=32\" --gin-param \"SinusoidalToHarmonicEncoder.n_harmonics=10\""
    " --gin-param \"RnnSandwich.fc_stack_ch=8\" --gin-param \"RnnSandwich.rnn_ch=8\"";

class TrainGin : public ::testing::Test {
 protected:
  // Six examples of eight frames.
  std::string Notes() const {
    SyntheticSetSettings settings;
    settings.num_examples = 6;
    settings.notes.n_timesteps = 8;
    settings.notes.n_harmonics = 10;
    settings.notes.n_mags = 9;
    settings.notes.min_note_length = 2;
    settings.notes.max_note_length = 4;
    settings.example_secs = 0.256;
    const absl::Status written = WriteSyntheticSet(settings, folder_.path() + "/notes", [](double) {});
    EXPECT_TRUE(written.ok()) << written;
    return folder_.path() + "/notes";
  }
  ProgramResult Train(const std::string& arguments) const {
    return RunProgram(std::string(DDSP_PROGRAM) + " train " + arguments + " --out " + folder_.path() + "/out");
  }

  TempDir folder_;
};

TEST_F(TrainGin, TrainsOnSyntheticNotesAndGoesOn) {
  const std::string command = Notes() + " --gin " + kPretrain + kSmall + " --batch 2 --seed 3";
  const ProgramResult first = Train(command + " --steps 4");
  ASSERT_EQ(first.exit_code, 0) << first.said;
  EXPECT_THAT(first.said, AllOf(HasSubstr("6 examples"), HasSubstr("step 4 of 4, loss")));
  const ProgramResult second = Train(command + " --steps 10");
  ASSERT_EQ(second.exit_code, 0) << second.said;
  EXPECT_THAT(second.said, AllOf(HasSubstr("going on from step 4"), HasSubstr("step 10 of 10")));
  const auto weights = Safetensors::Read(folder_.path() + "/out/weights.safetensors");
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_TRUE(weights->Get("harmonic_encoder/f0_out/kernel").ok());
  EXPECT_THAT(*ReadFile(folder_.path() + "/out/operative_config.gin"), HasSubstr("InverseSynthesis.n_samples = 4096"));
  EXPECT_THAT(*ReadFile(folder_.path() + "/out/metrics.jsonl"), HasSubstr("losses/ss_f0_hz_loss"));
}

TEST_F(TrainGin, HearsWithTheWeightsOfCrepeThatAreGiven) {
  const std::string crepe = folder_.path() + "/crepe.safetensors";
  ASSERT_TRUE(RandomCrepe(4).Write(crepe).ok());
  const std::string notes = Notes();
  const std::string command = notes + " --gin " + kPretrain + kSmall + " --batch 2 --steps 10 --gin-param " +
                              "'InverseSynthesis.losses=[@losses.PretrainedCREPEEmbeddingLoss()]'";
  const ProgramResult without = Train(command);
  EXPECT_EQ(without.exit_code, 1);
  EXPECT_THAT(without.said, HasSubstr("give them with --crepe-weights FILE.safetensors"));
  const ProgramResult with = Train(command + " --crepe-weights " + crepe);
  ASSERT_EQ(with.exit_code, 0) << with.said;
  EXPECT_THAT(*ReadFile(folder_.path() + "/out/metrics.jsonl"), HasSubstr("sin_pretrained_crepe_embedding_loss"));
  EXPECT_EQ(Train(notes + " --crepe-weights " + crepe).exit_code, 2);  // of a recipe: nothing would hear
}

TEST_F(TrainGin, LooksAtCheckpoints) {
  const std::string command = Notes() + " --gin " + kPretrain + kSmall + " --batch 2 --seed 3";
  EXPECT_THAT(Train(command + " --mode eval --once").said, HasSubstr("no checkpoint yet"));
  ASSERT_EQ(Train(command + " --steps 4 --steps-per-summary 2").exit_code, 0);
  const ProgramResult measured = Train(command + " --mode eval --run_once --batches 2");
  ASSERT_EQ(measured.exit_code, 0) << measured.said;
  EXPECT_THAT(measured.said, AllOf(HasSubstr("step 4: "), HasSubstr("losses/total_loss")));
  EXPECT_THAT(*ReadFile(folder_.path() + "/out/eval/metrics.jsonl"), HasSubstr("losses/ss_f0_hz_loss"));
  const ProgramResult sampled = Train(command + " --mode sample --once --examples 3");
  ASSERT_EQ(sampled.exit_code, 0) << sampled.said;
  EXPECT_TRUE(ReadFile(folder_.path() + "/out/samples/step-000000004/2-rendered.wav").ok());
  EXPECT_FALSE(ReadFile(folder_.path() + "/out/samples/step-000000004/3-rendered.wav").ok());
}

// Two processes; --workers trains what one worker trains.
TEST_F(TrainGin, TrainsWithWorkers) {
  const std::string run = Notes() + " --gin " + kPretrain + kSmall + " --seed 3 --steps 4", command = run + " --batch 3";
  const ProgramResult together = Train(command + " --workers 2 --threads 1");
  ASSERT_EQ(together.exit_code, 0) << together.said;
  EXPECT_THAT(together.said, HasSubstr("step 4 of 4, loss"));
  const auto weights = [&] {
    return Safetensors::Read(folder_.path() + "/out/weights.safetensors")->GetFloats("harmonic_encoder/f0_out/kernel");
  };
  const std::vector<float> made = *weights();
  ASSERT_EQ(Train(command + " --start-over").exit_code, 0);
  const std::vector<float> alone = *weights();
  ASSERT_EQ(made.size(), alone.size());
  for (size_t i = 0; i < made.size(); ++i) EXPECT_NEAR(made[i], alone[i], 2e-3) << i;
  const ProgramResult tiny = Train(run + " --workers 2 --start-over --batch 1");
  EXPECT_EQ(tiny.exit_code, 1);
  EXPECT_THAT(tiny.said, HasSubstr("2 workers share a batch of 1"));
}

// From recordings to a voice that can be served, by a configuration of upstream's.
TEST_F(TrainGin, TrainsOnPreparedRecordingsEvaluatesAndExports) {
  const std::string takes = folder_.path() + "/takes", set = folder_.path() + "/set", out = folder_.path() + "/out";
  std::filesystem::create_directories(takes);
  for (const int take : {1, 2}) {
    const Wav wav{16000, 1, TestMelody(24 * 16000, 16000, take)};
    ASSERT_TRUE(WriteWav(takes + "/" + std::to_string(take) + ".wav", wav, WavEncoding::kPcm16).ok());
  }
  const auto ddsp = [](const std::string& arguments) { return RunProgram(std::string(DDSP_PROGRAM) + " " + arguments); };
  const ProgramResult prepared = ddsp("dataset prepare " + takes + " --out " + set);
  ASSERT_EQ(prepared.exit_code, 0) << prepared.said;
  const std::string command = set + " --gin " + DDSP_SOURCE_DIR + "/configs/models/solo_instrument.gin" +
                              " --gin-param RnnFcDecoder.ch=8 --gin-param RnnFcDecoder.rnn_channels=8" +
                              " --gin-param Reverb.reverb_length=4000 --batch 2";
  const ProgramResult trained = Train(command + " --steps 2");
  ASSERT_EQ(trained.exit_code, 0) << trained.said;
  const ProgramResult measured = Train(command + " --mode eval --once --batches 1");
  ASSERT_EQ(measured.exit_code, 0) << measured.said;
  EXPECT_THAT(measured.said, AllOf(HasSubstr("losses/spectral_loss"), HasSubstr("metrics/loudness_l1_db")));

  const ProgramResult evaluated = ddsp("eval " + out + " --data " + set + " --json " + folder_.path() + "/eval.json");
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.said;
  EXPECT_THAT(evaluated.said, HasSubstr("step 2"));
  EXPECT_THAT(*ReadFile(folder_.path() + "/eval.json"), HasSubstr("spectral_loss"));
  const std::string voice = folder_.path() + "/voices/solo/1";
  const ProgramResult exported = ddsp("export " + out + " --out " + voice + " --data " + set);
  ASSERT_EQ(exported.exit_code, 0) << exported.said;
  EXPECT_THAT(exported.said, HasSubstr("solo/1 of step 2"));
  EXPECT_THAT(*ReadFile(voice + "/model.textproto"), HasSubstr("power_quantiles_db"));
  const std::string checkpoint = out + "/checkpoints/checkpoint-000000002.safetensors";
  EXPECT_EQ(ddsp("export " + checkpoint + " --out " + folder_.path() + "/voices/solo/2").exit_code, 0);
  EXPECT_EQ(ddsp("model show " + voice).exit_code, 0);
}

// What the live engine cannot play is said so.
TEST_F(TrainGin, ExportsNoVoiceOfAModelThatCannotBePlayed) {
  ASSERT_EQ(Train(Notes() + " --gin " + kPretrain + kSmall + " --batch 2 --steps 1").exit_code, 0);
  const ProgramResult exported =
      RunProgram(std::string(DDSP_PROGRAM) + " export " + folder_.path() + "/out --out " + folder_.path() + "/v/x/1");
  EXPECT_EQ(exported.exit_code, 1);
  EXPECT_THAT(exported.said, HasSubstr("InverseSynthesis"));
}

TEST_F(TrainGin, StopsEarly) {
  const ProgramResult result =
      Train(Notes() + " --gin " + kPretrain + kSmall + " --batch 2 --steps 50 --early-stop-loss 1e9");
  ASSERT_EQ(result.exit_code, 0) << result.said;
  EXPECT_THAT(result.said, AllOf(HasSubstr("stopped early"), HasSubstr("step 1, loss")));
}

TEST_F(TrainGin, SaysWhatIsWrong) {
  const std::string notes = Notes();
  const ProgramResult gin = Train(notes + " --gin " + kPretrain + " --gin-param InverseSynthesis.colour=1");
  EXPECT_EQ(gin.exit_code, 1);
  EXPECT_THAT(gin.said, HasSubstr("gin_param 1:1:1: InverseSynthesis has no parameter 'colour'"));
  const ProgramResult data = Train(folder_.path() + "/none --gin " + kPretrain + kSmall);
  EXPECT_EQ(data.exit_code, 1);
  EXPECT_THAT(data.said, HasSubstr("none"));
  const ProgramResult features =
      Train(notes + " --gin " + DDSP_SOURCE_DIR + "/configs/models/vst.gin --steps 1 --gin-param RnnFcDecoder.ch=8");
  EXPECT_EQ(features.exit_code, 1);
  EXPECT_THAT(features.said, HasSubstr("audio"));
}

}  // namespace
}  // namespace ddsp::testing
