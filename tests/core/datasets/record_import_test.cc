#include "core/datasets/record_import.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "core/base/file.h"
#include "core/datasets/example_set.h"
#include "core/datasets/synthetic_notes.h"
#include "tests/core/datasets/record_writer.h"

namespace ddsp {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kFixtures[] = DDSP_TESTDATA "/tfrecord/";
const RecordLayout kFixtureLayout{0.02, 32000, 250, RecordFrames::kFromHop};

// 0.1 s at 16 kHz with 250 frames a second.
const RecordLayout kShort{0.1, 16000, 250, RecordFrames::kFromHop};
Floats ShortExample(float value = 0.5f, int64_t frames = 25) {
  const std::vector<float> audio(1600, value), feature(frames, value);
  return {
      {"audio", audio}, {"audio_16k", audio}, {"f0_hz", feature}, {"f0_confidence", feature}, {"loudness_db", feature}};
}

class RecordImportTest : public ::testing::Test {
 protected:
  RecordImportTest() {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  std::string Write(const std::string& name, const std::string& content) const {
    EXPECT_TRUE(WriteFileAtomically(directory_ + "/" + name, content).ok());
    return directory_ + "/" + name;
  }
  absl::StatusOr<RecordImport> Import(const std::vector<std::string>& files, const RecordLayout& layout) const {
    return ImportRecords(files, layout, set_directory(), [](double) {});
  }
  std::string Complaint(const std::string& content, const RecordLayout& layout = kShort) const {
    return std::string(Import({Write("bad.tfrecord", content)}, layout).status().message());
  }
  std::string set_directory() const { return directory_ + "/set"; }

  const std::string directory_ =
      ::testing::TempDir() + "record_import_" + ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

// The fixture is made by other code, its values are a formula.
TEST_F(RecordImportTest, ReadsWhatIndependentCodeWrote) {
  for (const std::string name : {"two.tfrecord", "two.tfrecord.gz", "legacy.tfrecord"}) {
    std::filesystem::remove_all(set_directory());
    const auto imported = Import({kFixtures + name}, kFixtureLayout);
    ASSERT_TRUE(imported.ok()) << imported.status();
    EXPECT_EQ(imported->records, 2);
    const ExampleSet set = ExampleSet::Open(set_directory()).value();
    EXPECT_EQ(set.names().size(), name == "legacy.tfrecord" ? 4 : 5);
    EXPECT_EQ(set.index().sample_rate, 32000);
    const NamedTensors batch = set.Batch({1, 0}).value();
    EXPECT_TRUE(at::equal(batch.at("loudness_db")[0], 1400 + at::arange(5, at::kFloat) / 8));
    EXPECT_TRUE(at::equal(batch.at("audio")[1], at::arange(640, at::kFloat) / 8));
  }
}

TEST_F(RecordImportTest, ReadsFilesInOrder) {
  for (const int i : {2, 0, 1})
    Write("part-" + std::to_string(i), Record(ExampleBytes(ShortExample(static_cast<float>(i)))));
  const auto files = FindRecordFiles(directory_ + "/part-*");
  ASSERT_TRUE(files.ok()) << files.status();
  ASSERT_TRUE(Import(*files, kShort).ok());
  const NamedTensors batch = ExampleSet::Open(set_directory())->Batch({0, 1, 2}).value();
  EXPECT_TRUE(at::equal(batch.at("f0_hz").select(1, 0), at::tensor({0.f, 1.f, 2.f})));
  EXPECT_THAT(std::string(FindRecordFiles(directory_ + "/none*").status().message()), HasSubstr("none*"));
}

// Upstream's issues 36 and 75: what was "Can't parse serialized Example".
TEST_F(RecordImportTest, SaysWhichFlagsWouldFit) {
  const std::string good = Record(ExampleBytes(ShortExample()));
  EXPECT_THAT(Complaint(good + Record(ExampleBytes(ShortExample(0, 26)))),
              AllOf(HasSubstr("bad.tfrecord: record 1 at byte " + std::to_string(good.size())),
                    HasSubstr("'f0_confidence' has 26 values, expected 25"),
                    HasSubstr("this fits: --example-secs 0.1 --sample-rate 16000 --frame-rate 250 --centered")));
  EXPECT_THAT(Complaint(good, {4, 16000, 250, RecordFrames::kFromHop}),
              AllOf(HasSubstr("'audio' has 1600 values, expected 64000"),
                    HasSubstr("this fits: --example-secs 0.1 --sample-rate 16000 --frame-rate 250")));
  EXPECT_THAT(Complaint(good, {0.1, 48000, 50, RecordFrames::kCentered}),
              HasSubstr("this fits: --example-secs 0.1 --sample-rate 16000 --frame-rate 250"));
  Floats odd = ShortExample();
  odd["loudness_db"].resize(7);
  EXPECT_THAT(Complaint(Record(ExampleBytes(odd))),
              AllOf(HasSubstr("'loudness_db' has 7 values"), HasSubstr("no flags fit")));
}

TEST_F(RecordImportTest, NamesTheFeatureThatIsMissingOrOfAnotherKind) {
  Floats features = ShortExample();
  features.erase("loudness_db");
  EXPECT_THAT(Complaint(Record(ExampleBytes(features))),
              HasSubstr("bad.tfrecord: record 0 at byte 0: no feature 'loudness_db'; there are audio, audio_16k"));
  features = ShortExample();
  features["f0_hz"][3] = NAN;
  EXPECT_THAT(Complaint(Record(ExampleBytes(features))), HasSubstr("value 3 of 'f0_hz' is nan"));
  tensorflow::Example text;
  text.ParseFromString(ExampleBytes(ShortExample()));
  (*text.mutable_features()->mutable_feature())["audio"].mutable_bytes_list()->add_value("RIFF");
  EXPECT_THAT(Complaint(Record(text.SerializeAsString())), HasSubstr("'audio' holds bytes, expected floats"));
  EXPECT_THAT(Complaint(Record("no message")), HasSubstr("no tf.train.Example"));
}

TEST_F(RecordImportTest, LegacyRecordsDoNotMixWithNewOnes) {
  Floats legacy = ShortExample();
  legacy.erase("audio_16k");
  EXPECT_THAT(Complaint(Record(ExampleBytes(ShortExample())) + Record(ExampleBytes(legacy))),
              AllOf(HasSubstr("record 1"), HasSubstr("'audio_16k' is missing")));
}

TEST_F(RecordImportTest, TellsWhatItLeavesOut) {
  Floats features = ShortExample();
  features["pitch"] = {1};
  const auto imported = Import({Write("extra.tfrecord", Record(ExampleBytes(features)))}, kShort);
  ASSERT_TRUE(imported.ok()) << imported.status();
  EXPECT_THAT(imported->left_out, ElementsAre("pitch"));
}

TEST_F(RecordImportTest, AFileWithoutRecordsIsNoDataSet) {
  EXPECT_TRUE(absl::IsFailedPrecondition(Import({Write("empty", "")}, kShort).status()));
}

NotesSettings SmallNotes() {
  NotesSettings settings;
  settings.n_timesteps = 10;
  settings.n_harmonics = 4;
  settings.n_mags = 3;
  return settings;
}

// As upstream's generator writes an example: every control, flat.
Floats FlatNotes(const NamedTensors& notes, int64_t example) {
  Floats features;
  for (const auto& [name, tensor] : notes) {
    const at::Tensor flat = tensor[example].flatten().contiguous();
    features[name].assign(flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel());
  }
  return features;
}

TEST_F(RecordImportTest, ReadsMadeUpNotes) {
  const NamedTensors notes = GenerateNotesV2(SmallNotes(), 3, at::detail::createCPUGenerator(1));
  std::string content;
  for (int64_t i = 0; i < 3; ++i) content += Record(ExampleBytes(FlatNotes(notes, i)));
  const auto imported = Import({Write("notes.tfrecord", content)}, {0.32, 16000, 250, RecordFrames::kFromHop});
  ASSERT_TRUE(imported.ok()) << imported.status();
  EXPECT_TRUE(imported->left_out.empty());
  const ExampleSet set = ExampleSet::Open(set_directory()).value();
  EXPECT_EQ(set.index().frame_rate, 31.25);
  EXPECT_THAT(set.index().recipe, HasSubstr("n_timesteps 10, n_harmonics 4, n_mags 3"));
  const NamedTensors batch = set.Batch({0, 1, 2}).value();
  ASSERT_EQ(batch.size(), notes.size());
  for (const auto& [name, tensor] : notes) EXPECT_TRUE(at::equal(batch.at(name), tensor)) << name;
}

TEST_F(RecordImportTest, NamesTheFeatureOfNotesThatDoesNotFit) {
  const Floats good = FlatNotes(GenerateNotesV2(SmallNotes(), 1, at::detail::createCPUGenerator(1)), 0);
  const auto complaint = [&](const char* name, size_t values) {
    Floats bad = good;
    bad[name].resize(values, 0.5f);
    return Complaint(Record(ExampleBytes(bad)));
  };
  EXPECT_THAT(complaint("harm_dist", 41),
              HasSubstr("'harm_dist' has 41 values, expected a multiple of the 10 of 'f0_hz'"));
  EXPECT_THAT(complaint("harm_amp", 9), HasSubstr("'harm_amp' has 9 values, expected as many as the 10 of 'f0_hz'"));
  EXPECT_THAT(complaint("sin_freqs", 50), HasSubstr("'sin_freqs' has 50 values, expected as many as the 40"));
  EXPECT_THAT(complaint("f0_hz", 0), HasSubstr("'f0_hz' has no values"));
  Floats other = good;
  other["noise_magnitudes"].resize(50, 0.5f);
  EXPECT_THAT(Complaint(Record(ExampleBytes(good)) + Record(ExampleBytes(other))),
              AllOf(HasSubstr("record 1"), HasSubstr("n_mags 5, expected n_timesteps 10, n_harmonics 4, n_mags 3")));
  other.erase("noise_magnitudes");
  EXPECT_THAT(Complaint(Record(ExampleBytes(other))), HasSubstr("no feature 'noise_magnitudes'"));
}

TEST(RecordLayout, NamesTheValueThatGivesNoWholeNumber) {
  const auto complaint = [](const RecordLayout& layout) { return std::string(LengthsOf(layout).status().message()); };
  EXPECT_THAT(complaint({4, 16000, 300, RecordFrames::kFromHop}), HasSubstr("frame_rate is 300"));
  EXPECT_THAT(complaint({0.00001, 16000, 250, RecordFrames::kFromHop}), HasSubstr("example_secs is 1e-05"));
  EXPECT_THAT(complaint({-1, 16000, 250, RecordFrames::kFromHop}), HasSubstr("example_secs is -1"));
  EXPECT_THAT(complaint({4, 0, 250, RecordFrames::kFromHop}), HasSubstr("sample_rate is 0"));
  EXPECT_EQ(LengthsOf({4, 48000, 50, RecordFrames::kCentered})->at("f0_hz"), 201);
}

}  // namespace
}  // namespace ddsp
