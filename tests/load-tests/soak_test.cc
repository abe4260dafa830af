// A few seconds of a soak, with the real server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cmath>

#include "load-tests/server_process.h"
#include "load-tests/soak/outcome.h"
#include "load-tests/soak/raw_session.h"
#include "load-tests/soak/soak_run.h"

namespace ddsp::soak {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

SoakOptions ShortSoak() {
  SoakOptions options;
  options.server_program = DDSP_SERVER_PROGRAM;
  options.own_program = DDSP_SOAK_PROGRAM;
  options.repository = DDSP_SOURCE_DIR "/models";
  options.seconds = 5;
  options.streams = 4;
  options.clients = 12;
  options.tempo = 0.1;
  options.longest_pause = 0.1;
  options.recording.resize(16000);
  for (size_t n = 0; n < options.recording.size(); ++n) {
    options.recording[n] = 0.3f * static_cast<float>(std::sin(2 * M_PI * 440 * static_cast<double>(n) / 16000));
  }
  return options;
}

TEST(Soak, EveryKindOfClientEndsAsItHasToAndNothingIsLeft) {
  const SoakOptions options = ShortSoak();
  const auto report = RunSoak(options);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->failures, IsEmpty());
  EXPECT_EQ(report->tallies.size(), options.scenarios.size());
  EXPECT_EQ(report->lost_samples, 0);
  EXPECT_GT(report->ledger.sessions_started, 20);
  EXPECT_EQ(report->exit_code, 0);
}

TEST(Soak, FailsForAnEndThatWasNotExpected) {
  SoakOptions options = ShortSoak();
  options.seconds = 1;
  options.scenarios = {{"hopeful", 1, [](Visit& visit) {
                          RawSession session(visit.Connect());
                          session.SendConfig(FloatConfig("kazoo"));
                          return Expect(session.End(), {"OK"});
                        }}};
  const auto report = RunSoak(options);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->failures, Contains(HasSubstr("hopeful")));
  EXPECT_THAT(report->failures, Contains(HasSubstr("MODEL_NOT_FOUND")));
}

TEST(Soak, EndsEarlyAndJudgesWhatItSaw) {
  SoakOptions options = ShortSoak();
  options.seconds = 1e6;
  options.streams = 1;
  options.scenarios = {{"idle", 1, [](Visit&) { return absl::OkStatus(); }}};
  options.stop = [asked = 0]() mutable { return ++asked > 2; };
  const auto report = RunSoak(options);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->failures, IsEmpty());
  EXPECT_LT(report->seconds, 60);
  EXPECT_EQ(report->memory.size(), 2u);
}

TEST(Soak, FailsForAVoiceThatIsMissing) {
  SoakOptions options = ShortSoak();
  options.repository = "/nonexistent";
  EXPECT_EQ(RunSoak(options).status().code(), absl::StatusCode::kNotFound);
}

TEST(ServerProcess, TellsHowItsServerEnded) {
  const std::vector<std::string> flags = {"--model-repository=" DDSP_SOURCE_DIR "/models"};
  auto server = loadtest::ServerProcess::Start(DDSP_SERVER_PROGRAM, flags);
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_TRUE((*server)->Alive());
  EXPECT_EQ((*server)->Stop(), 0);
  server = loadtest::ServerProcess::Start(DDSP_SERVER_PROGRAM, flags);
  ASSERT_TRUE(server.ok()) << server.status();
  kill((*server)->pid(), SIGKILL);
  EXPECT_EQ((*server)->Stop(), -SIGKILL);
  EXPECT_FALSE((*server)->Alive());
}

}  // namespace
}  // namespace ddsp::soak
