// ddsp dataset, as a user runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "core/base/file.h"
#include "tests/support/run_program.h"

namespace ddsp::client {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using testing::ProgramResult;
using testing::RunProgram;

class DatasetCommand : public ::testing::Test {
 protected:
  DatasetCommand() : directory_(std::filesystem::temp_directory_path() / ("ddsp_dataset_" + std::to_string(getpid()))) {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  ~DatasetCommand() override { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const { return directory_ / name; }
  static ProgramResult Dataset(const std::string& arguments) {
    return RunProgram(DDSP_PROGRAM " dataset " + arguments);
  }

  const std::string small_ = " --num-examples 3 --n-timesteps 10 --example-secs 0.1 --n-harmonics 4 --n-mags 3";

 private:
  const std::filesystem::path directory_;
};

TEST_F(DatasetCommand, MakesUpNotesAndShowsThem) {
  for (const std::string generator : {"notes", "notes-v2"}) {
    const std::string out = Path(generator);
    const ProgramResult made =
        Dataset("generate-synthetic --out " + out + small_ + " --audio --generator " + generator);
    ASSERT_EQ(made.exit_code, 0) << made.said;
    EXPECT_THAT(made.said, HasSubstr("3 examples in 1 shards, features audio, f0_hz, harm_amp"));
    const ProgramResult shown = Dataset("show " + out);
    EXPECT_THAT(shown.said, AllOf(HasSubstr("synthetic " + generator + ", seed 42"), HasSubstr("100 frames a second"),
                                  ContainsRegex("harm_dist +\\[10, 4\\]"), ContainsRegex("audio +\\[1600\\]")));
  }
}

TEST_F(DatasetCommand, TheSeedDecides) {
  const auto shard = [&](const std::string& name, const std::string& seed) {
    EXPECT_EQ(Dataset("generate-synthetic --out " + Path(name) + small_ + " --seed " + seed).exit_code, 0);
    return ReadFile(Path(name) + "/examples-00000.safetensors").value();
  };
  const std::string first = shard("a", "1");
  EXPECT_EQ(shard("b", "1"), first);
  EXPECT_NE(shard("c", "2"), first);
}

TEST_F(DatasetCommand, ImportsUpstreamsRecords) {
  const std::string fixture = DDSP_TESTDATA "/tfrecord/two.tfrecord*";
  const std::string flags = " --example-secs 0.02 --sample-rate 32000";
  const ProgramResult imported = Dataset("import-tfrecord '" + fixture + "' --out " + Path("set") + flags);
  ASSERT_EQ(imported.exit_code, 0) << imported.said;
  EXPECT_THAT(imported.said, HasSubstr("4 examples in 1 shards"));  // the plain file and the compressed one
  EXPECT_THAT(Dataset("show " + Path("set")).said, ContainsRegex("loudness_db +\\[5\\] +400 +900.25 +1400.5"));
}

TEST_F(DatasetCommand, ErrorsSayWhatWouldFit) {
  const std::string fixture = DDSP_TESTDATA "/tfrecord/two.tfrecord";
  const ProgramResult refused = Dataset("import-tfrecord " + fixture + " --out " + Path("set"));
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.said, AllOf(HasSubstr("two.tfrecord: record 0 at byte 0: 'audio' has 640 values, expected 64000"),
                                  HasSubstr("this fits: --example-secs 0.02 --sample-rate 32000 --frame-rate 250")));
  EXPECT_THAT(Dataset("import-tfrecord " + Path("none*") + " --out " + Path("set")).said, HasSubstr("none*"));
  EXPECT_EQ(Dataset("generate-synthetic --generator noises --out " + Path("set")).exit_code, 1);
  EXPECT_EQ(Dataset("show " + Path("nowhere")).exit_code, 1);
}

}  // namespace
}  // namespace ddsp::client
