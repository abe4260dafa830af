#include "core/base/state_bytes.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ddsp {
namespace {

std::string Sample() {
  StateWriter writer;
  writer.Int(-5);
  writer.Float(1.5f);
  writer.Double(-2.25);
  writer.Floats({1, 2, 3});
  writer.CountedFloats({4, 5});
  writer.Bytes("abc");
  return writer.Take();
}

absl::Status Read(std::string_view bytes) {
  StateReader reader(bytes);
  std::vector<float> three(3);
  const int64_t number = reader.Int(-10, 10);
  const float single = reader.Float();
  const double twice = reader.Double();
  reader.Floats(absl::MakeSpan(three));
  const std::vector<float> counted = reader.CountedFloats(10);
  const std::string_view text = reader.Bytes();
  const absl::Status status = reader.Finish();
  if (!status.ok()) return status;
  EXPECT_EQ(number, -5);
  EXPECT_EQ(single, 1.5f);
  EXPECT_EQ(twice, -2.25);
  EXPECT_EQ(three, std::vector<float>({1, 2, 3}));
  EXPECT_EQ(counted, std::vector<float>({4, 5}));
  EXPECT_EQ(text, "abc");
  return status;
}

TEST(StateBytes, ReadsWhatWasWritten) { EXPECT_TRUE(Read(Sample()).ok()); }

TEST(StateBytes, NoticesEveryCutAndMore) {
  const std::string bytes = Sample();
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(Read(bytes.substr(0, size)).code(), absl::StatusCode::kDataLoss) << size;
  }
  EXPECT_EQ(Read(bytes + "x").code(), absl::StatusCode::kDataLoss);
}

TEST(StateReader, RefusesWhatIsOutOfRange) {
  StateWriter writer;
  writer.Int(11);
  const std::string bytes = writer.Take();
  StateReader reader(bytes);
  EXPECT_EQ(reader.Int(2, 10), 2);
  EXPECT_EQ(reader.Finish().message(), "the state cannot be read: 11 is outside 2..10");
}

TEST(StateReader, RefusesWhatIsNotFinite) {
  for (const float bad : {NAN, INFINITY}) {
    StateWriter writer;
    writer.Floats({1, bad});
    const std::string bytes = writer.Take();
    StateReader reader(bytes);
    std::vector<float> values(2);
    reader.Floats(absl::MakeSpan(values));
    EXPECT_FALSE(reader.Finish().ok());
    EXPECT_EQ(values, std::vector<float>(2, 0.0f));
  }
}

// A count is believed no further than there are bytes.
TEST(StateReader, AllocatesNoMoreThanThereIs) {
  StateWriter writer;
  writer.Int(int64_t{1} << 40);
  writer.Float(1);
  const std::string bytes = writer.Take();
  StateReader reader(bytes);
  EXPECT_TRUE(reader.CountedFloats(size_t{1} << 60).empty());
  EXPECT_FALSE(reader.ok());
  StateReader text(bytes);
  EXPECT_TRUE(text.Bytes().empty());
  EXPECT_FALSE(text.ok());
}

}  // namespace
}  // namespace ddsp
