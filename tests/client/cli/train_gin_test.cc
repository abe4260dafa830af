// `ddsp train DATASET --gin FILE` as a user meets it.
#include "core/base/file.h"
#include "core/base/safetensors.h"
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
