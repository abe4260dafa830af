// Real replicas under a few live streams. scripts/chaos does the same with many.
#include "gtest/gtest.h"
#include "tests/chaos/chaos_run.h"
#include "tests/support/test_voice.h"

namespace ddsp::testing {
namespace {

class Chaos : public ::testing::TestWithParam<Scenario> {};

TEST_P(Chaos, NobodyHearsIt) {
  const TempDir repository, folder;
  WriteTestBundle(repository.path());
  ChaosOptions options;
  options.cluster = {DDSP_SERVER_PROGRAM, repository.path(), folder.path(), 16, {"--threads=1"}};
  options.model = "test-voice";
  options.streams = 8;
  options.calm_seconds = 1.2;  // longer than the interval of snapshots
  const std::vector<std::vector<float>> recordings = {TestMelody(50000), TestMelody(40000, 16000, 2)};
  const auto result = RunScenario(GetParam(), options, recordings);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->failed_streams, 0) << result->first_error;
  EXPECT_EQ(result->lost_samples, 0);
  EXPECT_EQ(result->repeated_samples, 0);
  EXPECT_EQ(result->wrong_samples, 0) << "largest difference " << result->largest_difference;
  if (GetParam().name != "undisturbed") EXPECT_GE(result->moves, options.streams / 2);
}

INSTANTIATE_TEST_SUITE_P(Of, Chaos, ::testing::ValuesIn(Scenarios()), [](const auto& info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace ddsp::testing
