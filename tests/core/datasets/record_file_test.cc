#include "core/datasets/record_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/file.h"
#include "core/datasets/gzip.h"
#include "tests/core/datasets/record_writer.h"

namespace ddsp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct ReadAll {
  explicit ReadAll(std::string_view bytes) {
    RecordReader reader(bytes, "some file");
    while (true) {
      const auto record = reader.Next();
      status = record.status();
      if (!record.ok() || !*record) return;
      records.emplace_back(**record);
    }
  }
  absl::Status status;
  std::vector<std::string> records;
};

TEST(RecordReader, ReadsWhatWasWritten) {
  const ReadAll read(Record("one") + Record("") + Record(std::string(1000, 'x')));
  ASSERT_TRUE(read.status.ok()) << read.status;
  EXPECT_THAT(read.records, ElementsAre("one", "", std::string(1000, 'x')));
  EXPECT_TRUE(ReadAll("").status.ok());
}

// A file cut off anywhere gives the records before and an error that names the one that is not whole.
TEST(RecordReader, NamesTheRecordThatIsCutOff) {
  const std::string first = Record("first"), whole = first + Record("second");
  for (size_t size = 0; size < whole.size(); ++size) {
    const ReadAll read(std::string_view(whole).substr(0, size));
    const bool between = size == 0 || size == first.size();
    EXPECT_EQ(read.status.ok(), between) << size;
    EXPECT_EQ(read.records.size(), size >= first.size() ? 1 : 0) << size;
    if (between) continue;
    EXPECT_TRUE(absl::IsDataLoss(read.status));
    const std::string position =
        size < first.size() ? "some file: record 0 at byte 0" : "some file: record 1 at byte 21";
    EXPECT_THAT(std::string(read.status.message()), HasSubstr(position));
    EXPECT_THAT(std::string(read.status.message()), HasSubstr("cut off"));
  }
}

TEST(RecordReader, NoticesEveryFlippedBit) {
  const std::string whole = Record("first") + Record("second");
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] ^= static_cast<char>(1 << bit % 8);
    EXPECT_TRUE(absl::IsDataLoss(ReadAll(damaged).status)) << bit;
  }
}

// With the checksum of the length right.
TEST(RecordReader, BelievesNoLengthBeyondTheFile) {
  for (const uint64_t length : {uint64_t{6}, uint64_t{1} << 40, ~uint64_t{0}, ~uint64_t{0} - 11}) {
    const std::string header = LittleEndian(length, 8);
    const ReadAll read(header + LittleEndian(MaskedCrc32c(header), 4) + "12345" +
                       LittleEndian(MaskedCrc32c("12345"), 4));
    EXPECT_THAT(std::string(read.status.message()), HasSubstr("cut off")) << length;
  }
}

TEST(RecordFile, ReadsPlainAndCompressedFiles) {
  const auto plain = RecordFile::Open(DDSP_TESTDATA "/tfrecord/two.tfrecord");
  const auto packed = RecordFile::Open(DDSP_TESTDATA "/tfrecord/two.tfrecord.gz");
  ASSERT_TRUE(plain.ok()) << plain.status();
  ASSERT_TRUE(packed.ok()) << packed.status();
  EXPECT_EQ(plain->bytes(), packed->bytes());
  EXPECT_EQ(ReadAll(plain->bytes()).records.size(), 2);
  EXPECT_TRUE(absl::IsNotFound(RecordFile::Open("/nowhere").status()));
}

TEST(Gzip, NamesWhereItIsDamaged) {
  const std::string packed = ReadFile(DDSP_TESTDATA "/tfrecord/two.tfrecord.gz").value();
  const auto unpacked = UnpackGzip(packed, 1 << 20);
  ASSERT_TRUE(unpacked.ok()) << unpacked.status();
  EXPECT_THAT(std::string(UnpackGzip(packed.substr(0, 1000), 1 << 20).status().message()),
              HasSubstr("cut off at byte 1000"));
  EXPECT_TRUE(absl::IsResourceExhausted(UnpackGzip(packed, unpacked->size() - 1).status()));
  EXPECT_EQ(UnpackGzip(packed + packed, 1 << 20).value(), *unpacked + *unpacked);
  std::string damaged = packed;
  damaged[damaged.size() - 6] ^= 1;  // of the checksum
  EXPECT_TRUE(absl::IsDataLoss(UnpackGzip(damaged, 1 << 20).status()));
  EXPECT_TRUE(absl::IsDataLoss(UnpackGzip(packed + "more", 1 << 20).status()));
}

}  // namespace
}  // namespace ddsp
