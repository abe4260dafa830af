#include "worker/runners/batch_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ddsp::worker {
namespace {

TEST(BatchRecord, ReadsWhatItWrote) {
  BatchRecord record;
  v1::JobFile file;
  file.set_path("b.wav");
  file.set_sha256("00ff");
  file.set_size(int64_t{1} << 40);
  record.AddMade("b \"quoted\".flac", file);
  record.AddSkipped("a.flac", "a.flac: no audio");
  const BatchRecord again = BatchRecord::Parse(record.Format()).value();
  EXPECT_EQ(again.size(), 2);
  EXPECT_TRUE(again.Has("a.flac"));
  EXPECT_FALSE(again.Has("b.wav"));
  EXPECT_EQ(again.made().at("b \"quoted\".flac").SerializeAsString(), file.SerializeAsString());
  EXPECT_EQ(again.skipped().at("a.flac"), "a.flac: no audio");
  EXPECT_EQ(again.Format(), record.Format());
}

TEST(BatchRecord, RefusesWhatIsNone) {
  for (const char* text :
       {"", "{", "[]", "{\"made\": []}", "{\"made\": [{}], \"skipped\": []}", "{\"made\": 1, \"skipped\": 2}"}) {
    EXPECT_EQ(BatchRecord::Parse(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace ddsp::worker
