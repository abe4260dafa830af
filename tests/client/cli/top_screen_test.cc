#include "client/cli/top_screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "absl/strings/str_split.h"

namespace ddsp::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kBefore[] = R"(
ddsp_sessions_rejected_total{model="unknown",reason="SESSION_SLOTS_EXHAUSTED"} 10
ddsp_underruns_total{model="violin"} 5
process_cpu_seconds_total 100
ddsp_block_latency_seconds_bucket{model="violin",le="0.01"} 1000
ddsp_block_latency_seconds_bucket{model="violin",le="0.02"} 1000
ddsp_block_latency_seconds_bucket{model="violin",le="+Inf"} 1000
)";
constexpr char kAfter[] = R"(
ddsp_build_info{version="0.1.0",commit="abc",cuda="none"} 1
ddsp_server_state{state="serving"} 1
ddsp_server_state{state="draining"} 0
process_start_time_seconds 1000
process_cpu_seconds_total 103
process_resident_memory_bytes 500000000
ddsp_sessions_active{device="cpu",model="violin"} 48
ddsp_sessions_active{device="cpu",model="features"} 0
ddsp_session_slots{device="cpu",model="violin"} 64
ddsp_session_slots{device="cpu",model="features"} 64
ddsp_realtime_factor{device="cpu",model="violin"} 47.9
ddsp_sessions_rejected_total{model="unknown",reason="SESSION_SLOTS_EXHAUSTED"} 14
ddsp_underruns_total{model="violin"} 7
ddsp_device_busy_ratio{device="cpu"} 0.5
ddsp_device_demand_ratio{device="cpu"} 0.8
ddsp_device_limit_ratio{device="cpu"} 0.85
ddsp_cpu_demand_ratio 0.4
ddsp_memory_reserved_bytes{kind="sessions"} 50000000
ddsp_memory_reserved_bytes{kind="calls"} 50000000
ddsp_memory_budget_bytes 2000000000
ddsp_jobs{kind="train",state="QUEUED"} 2
ddsp_jobs{kind="transfer",state="QUEUED"} 1
ddsp_jobs{kind="train",state="RUNNING"} 1
ddsp_block_latency_seconds_bucket{model="violin",le="0.01"} 1050
ddsp_block_latency_seconds_bucket{model="violin",le="0.02"} 1100
ddsp_block_latency_seconds_bucket{model="violin",le="+Inf"} 1100
)";

TopSnapshot Snapshot() {
  return MakeTopSnapshot("host:8002", *Scrape::Parse(kBefore), *Scrape::Parse(kAfter), absl::Seconds(2),
                         absl::FromUnixSeconds(1000 + 3661));
}

TEST(TopSnapshot, IsWhatHappenedBetweenTheScrapes) {
  const TopSnapshot top = Snapshot();
  EXPECT_EQ(top.version, "0.1.0");
  EXPECT_EQ(top.state, "serving");
  EXPECT_EQ(top.uptime, 3661);
  EXPECT_EQ(top.sessions, 48);
  EXPECT_EQ(top.slots, 64) << "models share them";
  EXPECT_DOUBLE_EQ(top.p50, 0.01);
  EXPECT_DOUBLE_EQ(top.p99, 0.0198);
  EXPECT_EQ(top.underruns, 1);
  EXPECT_EQ(top.cores_used, 1.5);
  EXPECT_EQ(top.refused.at("SESSION_SLOTS_EXHAUSTED"), 2);
  EXPECT_EQ(top.jobs.at("QUEUED"), 3);
  EXPECT_EQ(top.reserved_bytes, 1e8);
  ASSERT_EQ(top.models.size(), 1u) << "nobody extracts features";
  EXPECT_EQ(top.models[0].name, "violin");
  EXPECT_EQ(top.models[0].underruns, 1);
}

TEST(RenderTop, ShowsIt) {
  const std::string text = RenderTop(Snapshot(), TopColours::kPlain);
  EXPECT_THAT(text, HasSubstr("ddsp 0.1.0  host:8002  serving  up 1h01m"));
  EXPECT_THAT(text, HasSubstr("48 of 64"));
  EXPECT_THAT(text, HasSubstr("p50 10.0 ms   p99 19.8 ms"));
  EXPECT_THAT(text, HasSubstr("80 %  of 85 %"));
  EXPECT_THAT(text, HasSubstr("1.5 in use"));
  EXPECT_THAT(text, HasSubstr("SESSION_SLOTS_EXHAUSTED 2/s"));
  EXPECT_THAT(text, HasSubstr("queued 3, running 1"));
  EXPECT_THAT(text, HasSubstr("violin                 48/64    10.0    19.8     47.9"));
}

TEST(RenderTop, FitsItsTerminal) {
  for (const int width : {60, 80, 120}) {
    for (const absl::string_view line : absl::StrSplit(RenderTop(Snapshot(), TopColours::kPlain, width), '\n')) {
      if (!absl::StartsWith(line, "MODEL") && !absl::StartsWith(line, "violin") && !absl::StartsWith(line, "streams")) {
        EXPECT_LE(line.size(), static_cast<size_t>(width)) << line;
      }
    }
  }
}

TEST(RenderTop, ColoursAreForTerminals) {
  EXPECT_THAT(RenderTop(Snapshot(), TopColours::kPlain), Not(HasSubstr("\033")));
  const std::string text = RenderTop(Snapshot(), TopColours::kAnsi);
  EXPECT_THAT(text, HasSubstr("\033[31m")) << "94 % of what may be promised is";
  EXPECT_THAT(text, HasSubstr("\033[32mserving"));
}

TEST(RenderTop, AnIdleServerHasNoFigures) {
  const Scrape idle = *Scrape::Parse("ddsp_server_state{state=\"draining\"} 1\n");
  const TopSnapshot top = MakeTopSnapshot("h:1", idle, idle, absl::Seconds(1), absl::UnixEpoch());
  EXPECT_TRUE(std::isnan(top.p50));
  const std::string text = RenderTop(top, TopColours::kPlain);
  EXPECT_THAT(text, HasSubstr("draining"));
  EXPECT_THAT(text, HasSubstr("p50 - ms"));
  EXPECT_THAT(text, HasSubstr("refused   none"));
  EXPECT_TRUE(ToJson(top)["latency_p50_seconds"].is_null());
}

TEST(ToJson, IsTheSnapshot) {
  const nlohmann::ordered_json json = ToJson(Snapshot());
  EXPECT_EQ(json["sessions"], 48);
  EXPECT_EQ(json["models"][0]["slots"], 64);
  EXPECT_EQ(json["jobs"]["RUNNING"], 1);
}

}  // namespace
}  // namespace ddsp::client
