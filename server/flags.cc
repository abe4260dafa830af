#include "server/flags.h"

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace ddsp::server {
namespace {

// Of an address that may hold a password.
constexpr size_t kMostEcho = 12;

// Durations and enums as the command line has them, until they are turned into options.
struct RawFlags {
  std::string model_control_mode = "none";
  double repository_poll_secs = 15;
  std::vector<std::string> version_policies;
  double drain_delay_secs = 0, exit_timeout_secs = 30;
  double idle_timeout_secs = 60, output_stall_timeout_secs = 30;
  double max_batch_wait_ms = 5;
  int64_t grpc_memory_mib = 1024;
  int64_t blob_quota_mib = 64 << 10;
  double job_lease_secs = 10, job_heartbeat_secs = 2, job_retention_days = 90;
};

void AddModels(CLI::App& app, ServerOptions& options, RawFlags& raw) {
  app.add_option("--model-repository", options.model_repository, "Directory of voices: <model>/<version>/")
      ->capture_default_str();
  app.add_option("--model-control-mode", raw.model_control_mode,
                 "What is loaded unasked. none: what the repository has at the start; explicit: --load-model alone; "
                 "poll: also what is published later. The admin port loads and unloads in any mode")
      ->capture_default_str()
      ->check(CLI::IsMember({"none", "explicit", "poll"}));
  app.add_option("--load-model", options.load_models,
                 "With explicit: a voice to load at the start, violin or violin/3, * for all; may be repeated");
  app.add_option("--repository-poll-secs", raw.repository_poll_secs, "With poll: time between two looks")
      ->capture_default_str()
      ->check(CLI::Range(0.01, 1e6));
  app.add_option(
         "--version-policy", raw.version_policies,
         "Versions of a model that are kept: latest, latest:N, all, or specific:N,M; for one model MODEL=POLICY; "
         "may be repeated. Versions with an alias are kept too")
      ->check([](const std::string& text) { return std::string(ParseVersionPolicies({text}).status().message()); });
  app.add_option("--exit-on-error", options.exit_on_error,
                 "Whether not to start when a model of the repository has no version that can be served")
      ->capture_default_str();
}

void AddAddresses(CLI::App& app, ServerOptions& options) {
  app.add_option("--listen", options.listen, "Address of the gRPC services")->capture_default_str();
  app.add_option("--metrics-listen", options.metrics_listen, "Address of /metrics; empty for none")
      ->capture_default_str();
  app.add_option("--admin-listen", options.admin_listen,
                 "Address for operators: loading of voices, health and reflection; empty for none")
      ->capture_default_str();
}

void AddLimits(CLI::App& app, ServerOptions& options, RawFlags& raw) {
  app.add_option("--max-sessions", options.max_sessions, "Sessions at once; each model has as many slots")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  app.add_option("--crew-threads", options.crew_threads,
                 "Threads that decode, encode and write; 0: the cores without a device thread")
      ->capture_default_str()
      ->check(CLI::Range(0, 256));
  app.add_option("--max-batch", options.max_batch, "Streams of one step")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  app.add_option("--max-batch-wait-ms", raw.max_batch_wait_ms,
                 "Longest wait of a ready hop for company on a loaded device; at most a quarter of a hop")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1000.0));
  app.add_option("--max-block-bytes", options.limits.max_block_bytes, "Audio data of one message")
      ->capture_default_str()
      ->check(CLI::Range(1024, 1024 * 1024));
  app.add_option("--max-output-backlog-bytes", options.limits.max_output_backlog_bytes,
                 "Output that waits for a slow reader; beyond it a session pauses")
      ->capture_default_str()
      ->check(CLI::Range(4096, 64 * 1024 * 1024));
  app.add_option("--work-threads", options.work_threads, "Threads for Graph.Run and Features.Extract")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  app.add_option("--max-waiting-calls", options.max_waiting_calls, "Such calls that may wait for a thread")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  app.add_option("--grpc-memory-mib", raw.grpc_memory_mib, "Memory of the gRPC library")
      ->capture_default_str()
      ->check(CLI::Range(16, 1 << 20));
}

void AddDevice(CLI::App& app, ServerOptions& options) {
  app.add_option("--device", options.device,
                 "What steps the models: cpu, or cuda:N where the server was built for GPUs")
      ->capture_default_str();
  app.add_option(
         "--threads", options.threads,
         "Device threads, or with a GPU those that extract features; 0: one for each core, but for every fourth")
      ->capture_default_str()
      ->check(CLI::Range(0, 256));
  app.add_option("--max-device-load", options.max_device_load,
                 "Share of the device threads' time that live sessions may be promised; 0: no bound")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
}

void AddTimes(CLI::App& app, RawFlags& raw) {
  const auto seconds = [&](const char* name, double& value, const char* help) {
    app.add_option(name, value, help)->capture_default_str()->check(CLI::Range(0.0, 1e6));
  };
  seconds("--drain-delay-secs", raw.drain_delay_secs, "After a signal: time in which new sessions are still taken");
  seconds("--exit-timeout-secs", raw.exit_timeout_secs, "After that: time for live sessions to end by themselves");
  seconds("--idle-timeout-secs", raw.idle_timeout_secs, "Longest silence of a client");
  seconds("--output-stall-timeout-secs", raw.output_stall_timeout_secs, "Longest time in which a client reads nothing");
}

void AddJobs(CLI::App& app, JobDeskOptions& jobs, RawFlags& raw) {
  app.add_option("--data-dir", jobs.data_dir,
                 "Directory of jobs, uploads, results and the voices that training publishes; empty: no jobs");
  app.add_option("--job-database", jobs.database,
                 "postgresql://USER@HOST/NAME that keeps the jobs; empty: jobs.sqlite in --data-dir");
  app.add_option("--blob-quota-mib", raw.blob_quota_mib, "Size of all uploads and results")
      ->capture_default_str()
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 30));
  app.add_option("--job-lease-secs", raw.job_lease_secs, "After so long without a word a worker has lost its job")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 3600.0));
  app.add_option("--job-heartbeat-secs", raw.job_heartbeat_secs,
                 "How often workers are told to report; at most half of the lease")
      ->capture_default_str()
      ->check(CLI::Range(0.05, 1800.0));
  app.add_option("--job-max-failures", jobs.policy.max_failures,
                 "Failures in a row without a newer checkpoint; the last one ends the job")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--max-queued-jobs", jobs.max_queued_jobs, "Jobs that may wait for a worker")
      ->capture_default_str()
      ->check(CLI::Range(int64_t{1}, int64_t{10'000'000}));
  app.add_option("--job-retention-days", raw.job_retention_days, "Older finished jobs are forgotten; 0: never")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 36500.0));
  app.add_option("--max-finished-jobs", jobs.retention.max_finished,
                 "More finished jobs are forgotten, oldest first; 0: keep all")
      ->capture_default_str()
      ->check(CLI::Range(int64_t{0}, int64_t{10'000'000}));
}

// What is wrong with flags that are right one by one.
void CheckJobs(const CLI::App& app, const JobDeskOptions& jobs, const RawFlags& raw) {
  if (raw.job_lease_secs < 2 * raw.job_heartbeat_secs) {
    throw CLI::ValidationError("--job-lease-secs", absl::StrCat(raw.job_lease_secs, " is shorter than two of ",
                                                                "--job-heartbeat-secs ", raw.job_heartbeat_secs));
  }
  if (!jobs.database.empty() && !absl::StartsWith(jobs.database, "postgresql://") &&
      !absl::StartsWith(jobs.database, "postgres://")) {
    throw CLI::ValidationError("--job-database",
                               "'" + jobs.database.substr(0, kMostEcho) + "' does not begin with postgresql://");
  }
  if (!jobs.data_dir.empty()) return;
  for (const char* flag : {"--job-database", "--blob-quota-mib", "--job-lease-secs", "--job-heartbeat-secs",
                           "--job-max-failures", "--max-queued-jobs", "--job-retention-days", "--max-finished-jobs"}) {
    if (app.count(flag) > 0) throw CLI::ValidationError(flag, "without --data-dir there are no jobs");
  }
}

void Apply(const RawFlags& raw, ServerOptions* options) {
  options->model_control_mode = raw.model_control_mode == "poll"       ? ControlMode::kPoll
                                : raw.model_control_mode == "explicit" ? ControlMode::kExplicit
                                                                       : ControlMode::kNone;
  options->repository_poll = absl::Seconds(raw.repository_poll_secs);
  // Checked by the option.
  if (auto policies = ParseVersionPolicies(raw.version_policies); policies.ok()) {
    options->version_policies = *std::move(policies);
  }
  options->drain_delay = absl::Seconds(raw.drain_delay_secs);
  options->exit_timeout = absl::Seconds(raw.exit_timeout_secs);
  options->limits.idle_timeout = absl::Seconds(raw.idle_timeout_secs);
  options->limits.output_stall_timeout = absl::Seconds(raw.output_stall_timeout_secs);
  options->max_batch_wait = absl::Milliseconds(raw.max_batch_wait_ms);
  options->grpc_memory_bytes = raw.grpc_memory_mib << 20;
  options->jobs.blob_quota_bytes = raw.blob_quota_mib << 20;
  options->jobs.policy.lease = absl::Seconds(raw.job_lease_secs);
  options->jobs.policy.heartbeat = absl::Seconds(raw.job_heartbeat_secs);
  options->jobs.retention.max_age = absl::Hours(24) * raw.job_retention_days;
  options->jobs.bundled_repository = options->model_repository;
}

}  // namespace

ParsedFlags ParseFlags(int argc, const char* const* argv) {
  ParsedFlags parsed;
  RawFlags raw;
  CLI::App app{"Serves trained voices: audio in, the voice's answer out, live, over gRPC.", "ddsp-server"};
  AddModels(app, parsed.options, raw);
  AddAddresses(app, parsed.options);
  AddDevice(app, parsed.options);
  AddLimits(app, parsed.options, raw);
  AddTimes(app, raw);
  AddJobs(app, parsed.options.jobs, raw);
  try {
    app.parse(argc, argv);
    CheckJobs(app, parsed.options.jobs, raw);
  } catch (const CLI::ParseError& error) {
    parsed.exit_code = app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  Apply(raw, &parsed.options);
  return parsed;
}

}  // namespace ddsp::server
