#include "client/cli/scrape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace ddsp::client {
namespace {

Scrape Parsed(const std::string& text) {
  absl::StatusOr<Scrape> scrape = Scrape::Parse(text);
  EXPECT_TRUE(scrape.ok()) << scrape.status();
  return scrape.ok() ? *scrape : Scrape();
}

TEST(Scrape, ReadsWhatServersGive) {
  const Scrape scrape = Parsed(
      "# HELP up Whether.\n# TYPE up gauge\nup 1\n\n"
      "ddsp_sessions_active{device=\"cpu\",model=\"violin\"} 3\n"
      "ddsp_sessions_active{device=\"cpu\",model=\"flute\"} 4.5e1\n"
      "odd{text=\"a\\\"b\\\\c\\nd,e}\",more=\"x\",} -Inf 1700000000\r\n");
  ASSERT_EQ(scrape.samples().size(), 4u);
  EXPECT_EQ(scrape.Sum("ddsp_sessions_active"), 48);
  EXPECT_EQ(scrape.Sum("ddsp_sessions_active", {{"model", "violin"}}), 3);
  EXPECT_EQ(scrape.Max("ddsp_sessions_active"), 45);
  EXPECT_EQ(scrape.samples()[3].labels.at("text"), "a\"b\\c\nd,e}");
  EXPECT_TRUE(std::isinf(scrape.samples()[3].value));
  EXPECT_THAT(scrape.LabelsOf("ddsp_sessions_active", "model"), ::testing::ElementsAre("flute", "violin"));
  EXPECT_TRUE(scrape.Has("up"));
  EXPECT_FALSE(scrape.Has("down"));
}

TEST(Scrape, NamesTheLineThatIsNone) {
  for (const char* text : {"up", "up one", "{} 1", "up{a=\"b\" 1", "up{a=b} 1", "up 1 2 3", "up{a=\"b\"c=\"d\"} 1",
                           "up{a=\"b", "<html>"}) {
    const auto scrape = Scrape::Parse(text);
    EXPECT_EQ(scrape.status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

std::string Histogram(int below_10ms, int below_20ms, int all) {
  return "h_bucket{model=\"a\",le=\"0.01\"} " + std::to_string(below_10ms) + "\nh_bucket{model=\"a\",le=\"0.02\"} " +
         std::to_string(below_20ms) + "\nh_bucket{model=\"a\",le=\"+Inf\"} " + std::to_string(all) + "\n";
}

TEST(Quantile, IsOfWhatCameBetweenTheScrapes) {
  const Scrape before = Parsed(Histogram(1000, 1000, 1000)), after = Parsed(Histogram(1000, 1100, 1100));
  EXPECT_DOUBLE_EQ(Quantile(0.5, "h", {}, before, after), 0.015);
  EXPECT_DOUBLE_EQ(Quantile(0.5, "h", {{"model", "a"}}, before, after), 0.015);
  EXPECT_TRUE(std::isnan(Quantile(0.5, "h", {{"model", "b"}}, before, after)));
  EXPECT_TRUE(std::isnan(Quantile(0.5, "h", {}, after, after))) << "nothing came";
}

TEST(Quantile, BeyondTheLastBucketIsItsBound) {
  const Scrape none = Parsed(""), some = Parsed(Histogram(0, 1, 100));
  EXPECT_DOUBLE_EQ(Quantile(0.99, "h", {}, none, some), 0.02);
}

TEST(Quantile, AServerThatWasStartedAnewCountsFromZero) {
  const Scrape before = Parsed(Histogram(5000, 5000, 5000)), after = Parsed(Histogram(100, 100, 100));
  EXPECT_DOUBLE_EQ(Quantile(0.5, "h", {}, before, after), 0.005);
}

// The obvious way: all values, sorted.
TEST(Quantile, IsWithinABucketOfTheTruth) {
  std::vector<double> values;
  int below_10 = 0, below_20 = 0;
  for (int i = 0; i < 1000; ++i) {
    values.push_back(0.02 * i / 1000);
    below_10 += values.back() <= 0.01;
    below_20 += values.back() <= 0.02;
  }
  const Scrape none = Parsed(""), after = Parsed(Histogram(below_10, below_20, 1000));
  for (const double q : {0.01, 0.25, 0.5, 0.9, 0.99}) {
    EXPECT_NEAR(Quantile(q, "h", {}, none, after), values[static_cast<size_t>(q * 1000)], 1e-4) << q;
  }
}

}  // namespace
}  // namespace ddsp::client
