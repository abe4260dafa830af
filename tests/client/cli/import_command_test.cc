// ddsp import, as a user runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "core/base/file.h"
#include "core/base/safetensors.h"
#include "core/base/wav.h"
#include "tests/support/run_program.h"

namespace ddsp::client {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::ProgramResult;
using testing::RunProgram;

std::string Fixture(const std::string& name) { return DDSP_TESTDATA "/golden/models/import/" + name; }

class Import : public ::testing::Test {
 protected:
  Import() : directory_(std::filesystem::temp_directory_path() / ("ddsp_import_" + std::to_string(getpid()))) {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  ~Import() override { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const { return directory_ / name; }
  static ProgramResult Ddsp(const std::string& arguments) { return RunProgram(DDSP_PROGRAM " " + arguments); }
  static ProgramResult ImportFixture(const std::string& name, const std::string& arguments) {
    return Ddsp("import tf-checkpoint " + Fixture(name) + " " + arguments);
  }

 private:
  const std::filesystem::path directory_;
};

// From upstream's training directory to a voice that plays, for both recipes.
TEST_F(Import, AnImportedVoiceIsVerifiedAndPlays) {
  for (const std::string name : {"vst", "solo"}) {
    const ProgramResult imported = ImportFixture(name + "_small", "--out " + Path(name + "/1"));
    ASSERT_EQ(imported.exit_code, 0) << imported.said;
    EXPECT_THAT(imported.said, AllOf(HasSubstr("after 4 steps"), HasSubstr(name + "/1, latency")));
    const ProgramResult verified = Ddsp("model verify " + Path(name + "/1"));
    EXPECT_EQ(verified.exit_code, 0) << verified.said;
    const ProgramResult played = Ddsp("transfer " DDSP_TESTDATA "/audio/clips/flute_phrase.wav " + Path(name + ".wav") +
                                      " --model-repository " + Path("") + " --model " + name);
    ASSERT_EQ(played.exit_code, 0) << played.said;
    const auto wav = ReadWav(Path(name + ".wav"));
    ASSERT_TRUE(wav.ok()) << wav.status();
  }
}

TEST_F(Import, WritesParametersOfAnyArchitecture) {
  const ProgramResult imported = ImportFixture("solo_legacy_slots", "--weights " + Path("solo.safetensors"));
  ASSERT_EQ(imported.exit_code, 0) << imported.said;
  EXPECT_TRUE(Safetensors::Read(Path("solo.safetensors"))->Has("processor_group/reverb/ir"));
}

TEST_F(Import, NamesTheDamagedFile) {
  std::filesystem::copy(Fixture("vst_small"), Path("damaged"));
  const std::string shard = Path("damaged/ckpt-4.data-00000-of-00001");
  std::filesystem::remove(shard);
  const ProgramResult imported = Ddsp("import tf-checkpoint " + Path("damaged") + " --out " + Path("voice/1"));
  EXPECT_EQ(imported.exit_code, 1);
  EXPECT_THAT(imported.said, HasSubstr("ckpt-4.data-00000-of-00001"));
  EXPECT_FALSE(std::filesystem::exists(Path("voice/1")));
}

// Parameters that were written apart make the same voice, the file's own configuration and statistics included.
TEST_F(Import, SafetensorsMakeTheVoiceOfTheirCheckpoint) {
  ASSERT_EQ(ImportFixture("vst_small", "--weights " + Path("p.safetensors") + " --out " + Path("voice/1")).exit_code,
            0);
  const std::string config = " --config " + Fixture("vst_small") + "/operative_config-0.gin --statistics " +
                             Fixture("vst_small") + "/dataset_statistics.pkl";
  for (const std::string& files : {std::string(), config}) {
    const ProgramResult imported =
        Ddsp("import safetensors " + Path("p.safetensors") + files + " --name voice --out " + Path("again/1"));
    ASSERT_EQ(imported.exit_code, 0) << imported.said;
    EXPECT_THAT(imported.said, HasSubstr("after 4 steps"));
    for (const std::string file : {"/1/weights.safetensors", "/1/model.textproto"})
      EXPECT_EQ(ReadFile(Path("voice" + file)).value(), ReadFile(Path("again" + file)).value()) << file;
    std::filesystem::remove_all(Path("again"));
  }
}

TEST_F(Import, SafetensorsNeedAConfiguration) {
  SafetensorsWriter writer;
  const float zero = 0;
  writer.AddFloats("decoder/dense_out/bias", {1}, &zero);
  ASSERT_TRUE(writer.Write(Path("p.safetensors")).ok());
  EXPECT_THAT(Ddsp("import safetensors " + Path("p.safetensors") + " --out " + Path("voice/1")).said,
              HasSubstr("does not say what model it is of"));
}

TEST_F(Import, WantsToKnowWhereTo) {
  EXPECT_THAT(ImportFixture("vst_small", "").said, HasSubstr("--out"));
  EXPECT_THAT(ImportFixture("vst_small", "--out " + Path("violin")).said, HasSubstr("voices/violin/1"));
}

}  // namespace
}  // namespace ddsp::client
