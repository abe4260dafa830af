#include "server/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "server/config_file.h"

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

TEST(ParseFlags, AnEmptyValueIsOne) {
  const Parsed parsed = Parse({"--admin-listen=", "--metrics-listen=", "--listen=127.0.0.1:0"});
  ASSERT_FALSE(parsed.flags.exit_code.has_value()) << parsed.said;
  EXPECT_EQ(parsed.flags.options.admin_listen, "");
  EXPECT_EQ(parsed.flags.options.metrics_listen, "");
  EXPECT_EQ(parsed.flags.options.listen, "127.0.0.1:0");
}

TEST(ParseFlags, ReadsWhatStepsTheModels) {
  EXPECT_EQ(Parse({}).flags.options.device, "cpu");
  EXPECT_EQ(Parse({"--device=cuda:1"}).flags.options.device, "cuda:1");
  for (const char* wrong : {"--device=CPU", "--device=cuda", "--device=cuda:", "--device=cuda:-1", "--device=gpu:0"}) {
    ExpectUsageError({wrong}, {"--device", "neither 'cpu' nor 'cuda:N'"});
  }
}

TEST(ParseFlags, ReadsHowLongSessionsStayOnAVersion) {
  EXPECT_EQ(Parse({}).flags.options.limits.version_drain_timeout, absl::ZeroDuration());
  EXPECT_EQ(Parse({"--version-drain-timeout-secs=90"}).flags.options.limits.version_drain_timeout, absl::Seconds(90));
  ExpectUsageError({"--version-drain-timeout-secs=-1"}, {"--version-drain-timeout-secs"});
  EXPECT_EQ(Parse({}).flags.options.shed_after, absl::Seconds(5));
  EXPECT_EQ(Parse({"--shed-after-secs=0.5"}).flags.options.shed_after, absl::Milliseconds(500));
  ExpectUsageError({"--shed-after-secs=-1"}, {"--shed-after-secs"});
}

TEST(ParseFlags, AnAuthorityGoesWithACollectorByTls) {
  const ServerOptions options = Parse({"--otlp-endpoint=https://otel:4317", "--otlp-ca=ca.pem"}).flags.options;
  EXPECT_EQ(options.otlp_endpoint, "https://otel:4317");
  EXPECT_EQ(options.otlp_ca_file, "ca.pem");
  ExpectUsageError({"--otlp-endpoint=otel:4317", "--otlp-ca=ca.pem"}, {"--otlp-ca", "https://"});
  ExpectUsageError({"--otlp-ca=ca.pem"}, {"--otlp-ca"});
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

std::string Written(const std::string& text) {
  const std::string file = testing::TempDir() + "/flags_test.textproto";
  std::ofstream(file) << text;
  return file;
}

void ExpectConfigError(const std::string& text, const std::vector<std::string>& said) {
  const std::string file = Written(text);
  const std::string flag = "--config=" + file;
  ExpectUsageError({flag.c_str()}, said);
  const auto resolved = ResolveConfig(file);
  EXPECT_FALSE(resolved.ok());
  for (const std::string& part : said) EXPECT_THAT(std::string(resolved.status().message()), HasSubstr(part));
}

TEST(ConfigFile, SetsFlagsBelowTheCommandLine) {
  const std::string flag = "--config=" + Written(R"(# What this site wants.
max_sessions: 64
drain_delay_secs: 2.5
listen: "127.0.0.1:9001"
metrics_listen: ""
exit_on_error: false
version_policy: "all"  version_policy: "flute=latest:2"
max_sessions_per_model: ["violin=8", 'flute=9']
)");
  const Parsed parsed = Parse({"--max-sessions=32", flag.c_str()});
  ASSERT_FALSE(parsed.flags.exit_code.has_value()) << parsed.said;
  const ServerOptions& options = parsed.flags.options;
  EXPECT_EQ(options.max_sessions, 32) << "the flag goes first";
  EXPECT_EQ(options.drain_delay, absl::Milliseconds(2500));
  EXPECT_EQ(options.listen, "127.0.0.1:9001");
  EXPECT_EQ(options.metrics_listen, "");
  EXPECT_FALSE(options.exit_on_error);
  EXPECT_EQ(options.version_policies.For("flute").latest, 2);
  EXPECT_EQ(options.max_sessions_per_model, (std::map<std::string, int>{{"flute", 9}, {"violin", 8}}));
}

TEST(ConfigFile, NamesTheLineThatIsWrong) {
  ExpectConfigError("\nmax_session: 64\n", {"flags_test.textproto:2:", "--max-session"});
  ExpectConfigError("max_sessions: 0", {":1:", "--max-sessions", "0"});
  ExpectConfigError("max_sessions: 1\n\nmax_sessions: 2", {":3:", "line 1"});
  ExpectConfigError("listen: \"a\"\nmax_sessions 3", {":2:", "':'"});
  ExpectConfigError("max_sessions:\n", {":2:", "a value"});
  ExpectConfigError("listen: \"open\n", {":1:"});
  ExpectConfigError("max_sessions: {}", {":1:", "a value"});
  ExpectConfigError("load_model: [1, 2", {":1:", "']'"});
  ExpectConfigError("config: \"other\"", {":1:", "--config"});
  ExpectConfigError("help: true", {":1:", "--help"});
}

TEST(ConfigFile, FlagsThatDoNotGoTogetherAreAMistakeHereToo) {
  ExpectConfigError("blob_quota_mib: 5", {"--blob-quota-mib", "--data-dir"});
  ExpectConfigError("tls_cert: \"x\"", {"--tls-cert", "--tls-key"});
}

TEST(ConfigFile, AFileThatIsNotThereIsAMistake) {
  ExpectUsageError({"--config=/nowhere/server.textproto"}, {"/nowhere/server.textproto"});
}

TEST(ConfigFile, TheResolvedFormSaysTheSame) {
  const std::string file = Written(
      "max_sessions: 64\nload_model: \"violin\"\nload_model: \"flute\"\nlisten: \"[::]:1\"\n"
      "data_dir: \"d\"\njob_database: \"postgresql://ddsp@db/ddsp\"\n");
  const auto resolved = ResolveConfig(file);
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  for (const char* line : {"max_sessions: 64\n", "load_model: \"violin\"\nload_model: \"flute\"\n",
                           "# crew_threads: 0\n", "# metrics_listen: \"0.0.0.0:8002\"\n"}) {
    EXPECT_THAT(*resolved, HasSubstr(line));
  }
  const auto again = ResolveConfig(Written(*resolved));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, *resolved);
}

TEST(ConfigFile, PasswordsAreNotTold) {
  const auto resolved = ResolveConfig(Written("data_dir: \"d\" job_database: \"postgresql://ddsp:secret@db/ddsp\""));
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_THAT(*resolved, testing::Not(HasSubstr("secret")));
  EXPECT_THAT(*resolved, HasSubstr("postgresql://ddsp:***@db/ddsp"));
}

// Whatever flag there is, a line of a file can set it.
TEST(ConfigFile, EveryDefaultCanBeWritten) {
  const auto resolved = ResolveConfig(Written(""));
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  const auto entries = ParseConfig(absl::StrReplaceAll(*resolved, {{"# ", ""}}), "defaults");
  ASSERT_TRUE(entries.ok()) << entries.status();
  EXPECT_GT(entries->size(), 50u) << "those without a list";
}

TEST(ParseFlags, ReadsWhoMayCall) {
  const Parsed parsed =
      Parse({"--tls-cert=c", "--tls-key=k", "--tls-client-ca=a", "--auth-keys=f", "--auth-jwt-keys=j",
             "--auth-jwt-algorithm=ES256", "--auth-jwt-issuer=i", "--auth-jwt-audience=u",
             "--auth-jwt-roles-claim=scope", "--tenant-max-sessions=3", "--tenant-max-calls=4",
             "--max-sessions-per-model=violin=64", "--health-listen=0.0.0.0:8003", "--max-connection-age-secs=1800"});
  ASSERT_FALSE(parsed.flags.exit_code.has_value()) << parsed.said;
  const ServerOptions& options = parsed.flags.options;
  EXPECT_EQ(options.security.tls.client_ca_file, "a");
  EXPECT_EQ(options.security.jwt.algorithm, "ES256");
  EXPECT_EQ(options.security.jwt.roles_claim, "scope");
  EXPECT_EQ(options.security.tenant_defaults.sessions, 3);
  EXPECT_EQ(options.max_sessions_per_model.at("violin"), 64);
  EXPECT_EQ(options.health_listen, "0.0.0.0:8003");
  EXPECT_EQ(options.max_connection_age, absl::Minutes(30));
}

TEST(ParseFlags, FlagsOfSecurityGoTogether) {
  ExpectUsageError({"--tls-key=k"}, {"--tls-cert"});
  ExpectUsageError({"--tls-client-ca=a"}, {"--tls-client-ca", "--tls-cert"});
  ExpectUsageError({"--auth-jwt-keys=j"}, {"--auth-jwt-issuer"});
  ExpectUsageError({"--auth-jwt-issuer=i"}, {"--auth-jwt-issuer", "--auth-jwt-keys"});
  ExpectUsageError({"--auth-jwt-keys=j", "--auth-jwt-algorithm=HS256"}, {"HS256"});
  ExpectUsageError({"--tenant-max-sessions=3"}, {"no tenants"});
  ExpectUsageError({"--max-sessions-per-model=violin"}, {"'violin'"});
  ExpectUsageError({"--max-sessions-per-model=violin=0"}, {"violin=0"});
}

}  // namespace
}  // namespace ddsp::server
