#include "core/features/feature_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ddsp {
namespace {

using testing::HasSubstr;

TEST(FeatureTable, ReadsWhatItWrote) {
  for (const int frame_rate : {25, 50, 100, 125, 250}) {
    FeatureTable table;
    table.frame_rate = frame_rate;
    for (int t = 0; t < 1000; ++t) {
      table.frames.push_back({220.0f + t, 0.5f, t % 3 != 0, -30.0f - t * 0.01f, -40.0f + t * 0.01f});
    }
    const auto again = ParseFeatures(FormatFeatures(table));
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->frame_rate, frame_rate);
    ASSERT_EQ(again->frames.size(), table.frames.size());
    for (size_t t = 0; t < table.frames.size(); ++t) {
      EXPECT_NEAR(again->frames[t].f0_hz, table.frames[t].f0_hz, 1e-4);  // four places are written, and float32
      EXPECT_NEAR(again->frames[t].power_db, table.frames[t].power_db, 1e-4);
      EXPECT_EQ(again->frames[t].voiced, table.frames[t].voiced);
    }
  }
}

TEST(FeatureTable, TakesColumnsInAnyOrderAndDoesWithoutSome) {
  const auto table = ParseFeatures("power_db, f0_hz ,time_s\r\n-20,440,0\r\n-21,441,0.01\r\n");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->frame_rate, 100);
  EXPECT_EQ(table->frames[1].f0_hz, 441);
  EXPECT_EQ(table->frames[1].power_db, -21);
}

TEST(FeatureTable, NamesTheLineThatIsWrong) {
  const std::string header = "time_s,f0_hz,power_db\n";
  const auto error = [](const std::string& text) { return std::string(ParseFeatures(text).status().message()); };
  EXPECT_THAT(error(""), HasSubstr("line 1: no column time_s"));
  EXPECT_THAT(error("time_s,f0_hz\n"), HasSubstr("no column power_db"));
  EXPECT_THAT(error(header + "0,440,-20\n0.01,x,-20\n"), HasSubstr("line 3: 'x' is no number"));
  EXPECT_THAT(error(header + "0,440,-20\n0.01,nan,-20\n"), HasSubstr("'nan' is no number"));
  EXPECT_THAT(error(header + "0,440,-20\n0.01,440\n"), HasSubstr("line 3: 2 cells, not 3"));
  EXPECT_THAT(error(header + "0,440,-20\n0.01,0,-20\n"), HasSubstr("line 3: f0_hz is not positive"));
  EXPECT_THAT(error(header + "0,440,-20\n"), HasSubstr("fewer than two frames"));
  EXPECT_THAT(error(header + "0,440,-20\n0.01,440,-20\n0.03,440,-20\n"), HasSubstr("is not that of frame 1"));
  EXPECT_THAT(error(header + "1,440,-20\n1.01,440,-20\n"), HasSubstr("line 2: time_s 1 is not that of frame 0"));
}

}  // namespace
}  // namespace ddsp
