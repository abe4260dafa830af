#include "server/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace ddsp::server {
namespace {

using testing::HasSubstr;

struct Parsed {
  ParsedFlags flags;
  std::string said;
};

Parsed Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "ddsp-server");
  testing::internal::CaptureStderr();
  Parsed parsed{.flags = ParseFlags(static_cast<int>(arguments.size()), arguments.data()), .said = ""};
  parsed.said = testing::internal::GetCapturedStderr();
  return parsed;
}

void ExpectUsageError(const std::vector<const char*>& arguments, const std::vector<std::string>& said) {
  const Parsed parsed = Parse(arguments);
  EXPECT_EQ(parsed.flags.exit_code, kExitUsage);
  for (const std::string& part : said) EXPECT_THAT(parsed.said, HasSubstr(part));
}

TEST(ParseFlags, ReadsWhatVoicesAreLoaded) {
  EXPECT_EQ(Parse({}).flags.options.model_control_mode, ControlMode::kNone);
  const Parsed parsed =
      Parse({"--model-control-mode=explicit", "--load-model=violin", "--load-model=flute/2", "--version-policy=all",
             "--version-policy=flute=latest:2", "--repository-poll-secs=0.5", "--exit-on-error=false"});
  ASSERT_FALSE(parsed.flags.exit_code.has_value()) << parsed.said;
  const ServerOptions& options = parsed.flags.options;
  EXPECT_EQ(options.model_control_mode, ControlMode::kExplicit);
  EXPECT_EQ(options.load_models, (std::vector<std::string>{"violin", "flute/2"}));
  EXPECT_EQ(options.version_policies.For("flute").latest, 2);
  EXPECT_EQ(options.version_policies.For("violin").kind, VersionPolicy::Kind::kAll);
  EXPECT_EQ(options.repository_poll, absl::Milliseconds(500));
  EXPECT_FALSE(options.exit_on_error);
  EXPECT_EQ(Parse({"--model-control-mode=poll"}).flags.options.model_control_mode, ControlMode::kPoll);
  ExpectUsageError({"--version-policy=newest"}, {"--version-policy", "'newest' is no version policy"});
  ExpectUsageError({"--model-control-mode=all"}, {"--model-control-mode"});
}

TEST(ParseFlags, WithoutADataDirThereAreNoJobs) {
  const ServerOptions options = Parse({}).flags.options;
  EXPECT_EQ(options.jobs.data_dir, "");
  EXPECT_EQ(options.jobs.policy.lease, absl::Seconds(10));
  EXPECT_EQ(options.jobs.policy.heartbeat, absl::Seconds(2));
}

TEST(ParseFlags, ReadsWhatConcernsJobs) {
  const Parsed parsed =
      Parse({"--data-dir=/var/lib/ddsp", "--job-database=postgresql://ddsp@db/ddsp", "--blob-quota-mib=100",
             "--job-lease-secs=1.5", "--job-heartbeat-secs=0.5", "--job-max-failures=3", "--max-queued-jobs=7",
             "--job-retention-days=0.5", "--max-finished-jobs=9", "--model-repository=/voices"});
  ASSERT_FALSE(parsed.flags.exit_code.has_value()) << parsed.said;
  const JobDeskOptions& jobs = parsed.flags.options.jobs;
  EXPECT_EQ(jobs.data_dir, "/var/lib/ddsp");
  EXPECT_EQ(jobs.models_folder(), "/var/lib/ddsp/models");
  EXPECT_EQ(jobs.database, "postgresql://ddsp@db/ddsp");
  EXPECT_EQ(jobs.blob_quota_bytes, 100 << 20);
  EXPECT_EQ(jobs.policy.lease, absl::Milliseconds(1500));
  EXPECT_EQ(jobs.policy.heartbeat, absl::Milliseconds(500));
  EXPECT_EQ(jobs.policy.max_failures, 3);
  EXPECT_EQ(jobs.max_queued_jobs, 7);
  EXPECT_EQ(jobs.retention.max_age, absl::Hours(12));
  EXPECT_EQ(jobs.retention.max_finished, 9);
  EXPECT_EQ(jobs.bundled_repository, "/voices");
}

TEST(ParseFlags, NamesTheFlagThatIsWrongAndItsValue) {
  ExpectUsageError({"--data-dir=d", "--job-heartbeat-secs=6"}, {"--job-lease-secs", "10", "--job-heartbeat-secs 6"});
  ExpectUsageError({"--data-dir=d", "--job-lease-secs=0"}, {"--job-lease-secs", "0"});
  ExpectUsageError({"--data-dir=d", "--blob-quota-mib=-1"}, {"--blob-quota-mib", "-1"});
  ExpectUsageError({"--data-dir=d", "--job-max-failures=0"}, {"--job-max-failures", "0"});
  ExpectUsageError({"--data-dir=d", "--max-queued-jobs=many"}, {"--max-queued-jobs", "many"});
  ExpectUsageError({"--data-dir=d", "--job-database=mysql://db"}, {"--job-database", "mysql://db"});
}

TEST(ParseFlags, FlagsOfJobsWithoutADataDirAreAMistake) {
  ExpectUsageError({"--job-database=postgresql://db"}, {"--job-database", "--data-dir"});
  ExpectUsageError({"--blob-quota-mib=5"}, {"--blob-quota-mib", "--data-dir"});
}

}  // namespace
}  // namespace ddsp::server
