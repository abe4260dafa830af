// The parts of a soak that need no server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "load-tests/soak/ledger.h"
#include "load-tests/soak/memory_watch.h"
#include "load-tests/soak/mix.h"
#include "load-tests/soak/outcome.h"
#include "load-tests/soak/soak_report.h"

namespace ddsp::soak {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Place QuietPlace() { return {.voices = {"violin"}, .recording = {0.1f, 0.2f}, .tempo = 0}; }

// Who came, in their order, each with its chance.
std::vector<std::string> ComingsOf(uint64_t seed, int kinds, int visits) {
  Mutex mu;
  std::vector<std::string> came;
  Scenarios scenarios;
  for (int kind = 0; kind < kinds; ++kind) {
    scenarios.push_back({std::to_string(kind), kind + 1, [&, kind](Visit& visit) {
                           const MutexLock lock(&mu);
                           came.push_back(std::to_string(kind) + ":" + std::to_string(visit.Between(0, 1 << 20)));
                           return absl::OkStatus();
                         }});
  }
  const Place place = QuietPlace();
  Mix mix(place, scenarios, {.clients = 1, .seed = seed, .longest_pause = 0});
  for (size_t size = 0; size < static_cast<size_t>(visits);) {
    const MutexLock lock(&mu);
    size = came.size();
  }
  mix.Stop();
  came.resize(visits);
  return came;
}

TEST(Mix, DoesTheSameWithTheSameSeed) {
  EXPECT_EQ(ComingsOf(7, 5, 50), ComingsOf(7, 5, 50));
  EXPECT_NE(ComingsOf(7, 5, 50), ComingsOf(8, 5, 50));
}

TEST(Mix, SendsOneOfEachKindThoughItIsStoppedAtOnce) {
  Scenarios scenarios;
  for (const char* name : {"a", "b", "c"}) {
    scenarios.push_back({name, 1, [](Visit&) { return absl::OkStatus(); }});
  }
  const Place place = QuietPlace();
  Mix mix(place, scenarios, {.clients = 2, .seed = 1, .longest_pause = 0});
  mix.Stop();
  for (const auto& [name, tally] : mix.tallies()) EXPECT_GE(tally.visits, 1) << name;
}

TEST(Mix, CountsWhatEndedOtherwise) {
  const Scenarios scenarios = {{"wrong", 1, [](Visit&) {
                                  return Expect(absl::CancelledError("gone"), {"OK", "CREDIT_EXCEEDED"});
                                }}};
  const Place place = QuietPlace();
  Mix mix(place, scenarios, {.clients = 1, .seed = 1, .longest_pause = 0});
  mix.Stop();
  const Tally tally = mix.tallies().at("wrong");
  EXPECT_EQ(tally.unexpected, tally.visits);
  EXPECT_THAT(tally.first_unexpected, HasSubstr("ended with CANCELLED: gone instead of OK or CREDIT_EXCEEDED"));
}

std::vector<MemorySample> Ramp(double from, double by_second) {
  std::vector<MemorySample> samples;
  for (int second = 0; second <= 3600; ++second) {
    samples.push_back(
        {.seconds = static_cast<double>(second), .resident = static_cast<int64_t>(from + by_second * second)});
  }
  return samples;
}

// Minutes 5 to 15 are about second 600, the last ten about second 3300.
TEST(Flatness, ComparesTheMeansOfTwoPartsOfAnHour) {
  EXPECT_EQ(FlatnessOf(Ramp(1e8, 0), 3600)->growth(), 0);
  const Flatness leak = *FlatnessOf(Ramp(1e8, 1000), 3600);
  EXPECT_NEAR(leak.early_bytes, 1e8 + 600e3, 1);
  EXPECT_NEAR(leak.late_bytes, 1e8 + 3300e3, 1);
  EXPECT_NEAR(leak.growth(), 0.0268, 1e-4);
  EXPECT_EQ(FlatnessOf({}, 3600), std::nullopt);
}

constexpr char kScrape[] =
    "ddsp_sessions_started_total{model=\"violin\",transport=\"grpc\"} 7\n"
    "ddsp_sessions_started_total{model=\"flute\",transport=\"grpc\"} 2\n"
    "ddsp_sessions_ended_total{model=\"violin\",reason=\"client_close\"} 6\n"
    "ddsp_sessions_ended_total{model=\"violin\",reason=\"error\"} 1\n"
    "ddsp_sessions_ended_total{model=\"flute\",reason=\"idle\"} 1\n"
    "ddsp_sessions_active{model=\"flute\",device=\"cpu\"} 1\n"
    "grpc_server_call_started_total{method=\"/a/b\"} 10\n"
    "grpc_server_call_duration_seconds_count{method=\"/a/b\",status=\"OK\"} 9\n"
    "ddsp_memory_reserved_bytes{kind=\"sessions\"} 4096\n"
    "process_open_fds 30\n";

TEST(Ledger, NamesWhatWasNotGivenBack) {
  const Ledger ledger = LedgerOf(*client::Scrape::Parse(kScrape));
  EXPECT_THAT(ledger.Debts({.open_files = 20}),
              ElementsAre("sessions that ended: 8 instead of 9", "slots in use: 1 instead of 0",
                          "calls that ended: 9 instead of 10", "bytes reserved: 4096 instead of 0",
                          "open files: 30 instead of 20"));
}

TEST(Ledger, OwesNothingWhenAllHasEnded) {
  const Ledger ledger{
      .sessions_started = 9, .sessions_ended = 9, .calls_started = 5, .calls_ended = 5, .open_files = 22};
  EXPECT_THAT(ledger.Debts({.open_files = 20}), IsEmpty());
}

TEST(SoakReport, SaysWhatFailed) {
  SoakReport report;
  EXPECT_THAT(TextOf(report), HasSubstr("passed"));
  report.failures = {"slots in use: 1 instead of 0"};
  report.tallies["crashes"] = {.visits = 5, .unexpected = 2};
  EXPECT_FALSE(report.passed());
  EXPECT_THAT(TextOf(report), HasSubstr("FAILED: slots in use: 1 instead of 0"));
  EXPECT_EQ(ToJson(report)["scenarios"]["crashes"]["unexpected"], 2);
  EXPECT_EQ(ToJson(report)["passed"], false);
}

}  // namespace
}  // namespace ddsp::soak
