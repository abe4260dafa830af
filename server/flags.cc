#include "server/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/cuda/engine_device.h"
#include "server/config_file.h"

namespace ddsp::server {
namespace {

// Of an address that may hold a password.
constexpr size_t kMostShown = 12;

// Durations and enums as the command line has them, until they are turned into options.
struct RawFlags {
  std::string model_control_mode = "none";
  double repository_poll_secs = 15;
  std::vector<std::string> version_policies;
  double drain_delay_secs = 0, session_drain_timeout_secs = 30, exit_timeout_secs = 2;
  double session_snapshot_lifetime_secs = 60;
  double version_drain_timeout_secs = 0;
  double shed_after_secs = 5;
  double idle_timeout_secs = 60, output_stall_timeout_secs = 30;
  double max_batch_wait_ms = 5;
  int64_t grpc_memory_mib = 1024;
  int64_t memory_budget_mib = 2048;
  std::string log_format = "text", log_level = "info", metrics_compat = "none";
  int64_t blob_quota_mib = 64 << 10;
  std::vector<std::string> max_sessions_per_model;
  double max_connection_age_secs = 0;
  double job_lease_secs = 10, job_heartbeat_secs = 2, job_retention_days = 90;
};

void AddModels(CLI::App& app, ServerOptions& options, RawFlags& raw) {
  app.add_option("--model-repository", options.model_repository,
                 "Voices, as <model>/<version>/ below a directory or s3://BUCKET/PREFIX (AWS_ENDPOINT_URL, AWS_REGION, "
                 "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)")
      ->capture_default_str();
  app.add_option("--model-cache", options.model_cache,
                 "Directory that voices of an object store are fetched to; kept, so that they serve while it is away");
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
  app.add_option("--health-listen", options.health_listen,
                 "Address of health alone, in plain text and without tokens, for probes: services liveness and "
                 "readiness; empty for none")
      ->capture_default_str();
}

void AddSecurity(CLI::App& app, SecurityOptions& security) {
  const std::string group = "Who may call";
  const auto text = [&](const char* name, std::string& value, const char* help) {
    return app.add_option(name, value, help)->capture_default_str()->group(group);
  };
  text("--tls-cert", security.tls.cert_file,
       "Certificates of the server, its own first, in PEM: TLS on the public and the admin port. Replaced files hold "
       "from the next connection on");
  text("--tls-key", security.tls.key_file, "Private key of --tls-cert, in PEM");
  text("--tls-client-ca", security.tls.client_ca_file,
       "Who signs clients' certificates, in PEM: without one nobody connects");
  text(
      "--auth-keys", security.keys_file,
      "Keys, certificates and tenants that may call (proto/ddsp/v1/access.proto; `ddsp auth new-key`). Read again when "
      "it changes, and on SIGHUP");
  text("--auth-jwt-keys", security.jwt.keys_file,
       "Public key in PEM, or JWKS, of the issuer whose JSON Web Tokens may call");
  text("--auth-jwt-algorithm", security.jwt.algorithm, "Of their signatures, whatever a token says")
      ->check(CLI::IsMember({"RS256", "RS384", "RS512", "ES256", "ES384", "ES512"}));
  text("--auth-jwt-issuer", security.jwt.issuer, "Their iss");
  text("--auth-jwt-audience", security.jwt.audience, "Their aud: the name of this service at the issuer");
  text("--auth-jwt-tenant-claim", security.jwt.tenant_claim, "The claim that names the tenant");
  text("--auth-jwt-roles-claim", security.jwt.roles_claim, "The claim with the roles: stream, publish, admin");
  const auto limit = [&](const char* name, int64_t& value, const char* help) {
    app.add_option(name, value, help)
        ->capture_default_str()
        ->check(CLI::Range(int64_t{0}, int64_t{10'000'000}))
        ->group(group);
  };
  limit("--tenant-max-sessions", security.tenant_defaults.sessions,
        "Sessions at once of a tenant for which --auth-keys says nothing else; 0: no bound");
  limit("--tenant-max-queued-jobs", security.tenant_defaults.queued_jobs, "Likewise jobs that wait for a worker");
  limit("--tenant-max-calls", security.tenant_defaults.calls, "Likewise other calls at once");
}

// "violin=64".
bool ParseModelLimit(const std::string& text, std::pair<std::string, int>* limit) {
  const std::vector<std::string> parts = absl::StrSplit(text, '=');
  if (parts.size() != 2 || parts[0].empty() || !absl::SimpleAtoi(parts[1], &limit->second)) return false;
  limit->first = parts[0];
  return limit->second >= 1 && limit->second <= 100000;
}

void AddLimits(CLI::App& app, ServerOptions& options, RawFlags& raw) {
  app.add_option("--max-sessions", options.max_sessions, "Sessions at once; each model has as many slots")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  app.add_option("--max-sessions-per-model", raw.max_sessions_per_model,
                 "MODEL=N: slots of one model, where there should be fewer; may be repeated")
      ->check([](const std::string& text) {
        std::pair<std::string, int> limit;
        return ParseModelLimit(text, &limit) ? "" : absl::StrCat("'", text, "' is not of the form violin=64");
      });
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
  app.add_option(
         "--memory-budget-mib", raw.memory_budget_mib,
         "What may be kept for clients at once, buffers of sessions and bodies of calls; more is refused. 0: no "
         "bound")
      ->capture_default_str()
      ->check(CLI::Range(0, 1 << 20));
  app.add_option("--grpc-memory-mib", raw.grpc_memory_mib, "Memory of the gRPC library")
      ->capture_default_str()
      ->check(CLI::Range(16, 1 << 20));
  app.add_option("--max-streams-per-connection", options.max_streams_per_connection,
                 "Calls at once of one connection; 0: room for all sessions")
      ->capture_default_str()
      ->check(CLI::Range(0, 1'000'000));
  app.add_option(
         "--max-connection-age-secs", raw.max_connection_age_secs,
         "After so long a client is told to connect anew, and may find another replica; its calls go on. 0: never")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1e6));
}

void AddObservation(CLI::App& app, ServerOptions& options, RawFlags& raw) {
  app.add_option("--log-format", raw.log_format, "Lines on stderr: text for people, json: an object each")
      ->capture_default_str()
      ->check(CLI::IsMember({"text", "json"}));
  app.add_option("--log-level", raw.log_level, "What is less than this is not said")
      ->capture_default_str()
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  app.add_option(
      "--otlp-endpoint", options.otlp_endpoint,
      "HOST:PORT of a collector of traces, OTLP over gRPC; https://HOST:PORT: by TLS; empty: nothing is traced");
  app.add_option("--otlp-ca", options.otlp_ca_file,
                 "PEM file of who signs the certificate of --otlp-endpoint; empty: whom the system trusts");
  app.add_option("--trace-sampling", options.trace_ratio,
                 "Share of calls that are traced where their caller does not say")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--metrics-compat", raw.metrics_compat,
                 "triton: counters under names of Triton's (nv_inference_*) too")
      ->capture_default_str()
      ->check(CLI::IsMember({"none", "triton"}));
}

void AddDevice(CLI::App& app, ServerOptions& options) {
  app.add_option("--device", options.device,
                 "What steps the models: cpu, or cuda:N where the server was built for GPUs")
      ->capture_default_str()
      ->check([](const std::string& text) { return std::string(EngineDevice::Parse(text).status().message()); });
  app.add_option(
         "--threads", options.threads,
         "Device threads, or with a GPU those that extract features; 0: one for each core, but for every fourth")
      ->capture_default_str()
      ->check(CLI::Range(0, 256));
  app.add_option(
         "--max-device-load", options.max_device_load,
         "Share of the device threads' time, and of the cores, that live sessions may be promised; two thirds of "
         "it to those that come all at once, until they are seen playing; 0: no bound")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
}

void AddTimes(CLI::App& app, ServerOptions& options, RawFlags& raw) {
  const auto seconds = [&](const char* name, double& value, const char* help) {
    app.add_option(name, value, help)->capture_default_str()->check(CLI::Range(0.0, 1e6));
  };
  seconds("--drain-delay-secs", raw.drain_delay_secs, "After a signal: time in which new sessions are still taken");
  seconds(
      "--session-drain-timeout-secs", raw.session_drain_timeout_secs,
      "After that: time for live sessions to end by themselves; those that asked for snapshots go elsewhere at once");
  seconds("--exit-timeout-secs", raw.exit_timeout_secs, "After that: time for the last words of those that did not");
  app.add_option(
      "--session-key-file", options.session_key_file,
      "Keys of 32 bytes or more that sign snapshots of sessions, one a line, the first signs: the same for all "
      "replicas. Empty: a key of this process alone");
  app.add_option("--session-snapshot-lifetime-secs", raw.session_snapshot_lifetime_secs,
                 "Older snapshots are not gone on from")
      ->capture_default_str()
      ->check(CLI::Range(1.0, 86400.0));
  seconds("--version-drain-timeout-secs", raw.version_drain_timeout_secs,
          "Longest that live sessions stay on a version of a voice that went out of service; 0: until they end");
  seconds("--shed-after-secs", raw.shed_after_secs,
          "After so long with late live sessions, on a full device or full cores, those that came last are sent away; "
          "0, or --max-device-load=0: never");
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
                               "'" + jobs.database.substr(0, kMostShown) + "' does not begin with postgresql://");
  }
  if (!jobs.data_dir.empty()) return;
  for (const char* flag : {"--job-database", "--blob-quota-mib", "--job-lease-secs", "--job-heartbeat-secs",
                           "--job-max-failures", "--max-queued-jobs", "--job-retention-days", "--max-finished-jobs"}) {
    if (app.count(flag) > 0) throw CLI::ValidationError(flag, "without --data-dir there are no jobs");
  }
}

void CheckObservation(const CLI::App& app, const ServerOptions& options) {
  if (app.count("--otlp-ca") > 0 && !absl::StartsWith(options.otlp_endpoint, "https://")) {
    throw CLI::ValidationError("--otlp-ca", "goes with --otlp-endpoint=https://HOST:PORT");
  }
}

void CheckSecurity(const CLI::App& app, const SecurityOptions& security) {
  const auto without = [&](std::initializer_list<const char*> flags, const char* why) {
    for (const char* flag : flags) {
      if (app.count(flag) > 0) throw CLI::ValidationError(flag, why);
    }
  };
  if (security.tls.cert_file.empty() != security.tls.key_file.empty()) {
    throw CLI::ValidationError("--tls-cert", "goes with --tls-key");
  }
  if (!security.tls.enabled()) without({"--tls-client-ca"}, "goes with --tls-cert");
  if (security.jwt.keys_file.empty()) {
    without({"--auth-jwt-algorithm", "--auth-jwt-issuer", "--auth-jwt-audience", "--auth-jwt-tenant-claim",
             "--auth-jwt-roles-claim"},
            "goes with --auth-jwt-keys");
  } else if (security.jwt.issuer.empty() || security.jwt.audience.empty()) {
    throw CLI::ValidationError("--auth-jwt-keys", "goes with --auth-jwt-issuer and --auth-jwt-audience");
  }
  if (!security.authenticates()) {
    without({"--tenant-max-sessions", "--tenant-max-queued-jobs", "--tenant-max-calls"},
            "without --auth-keys or --auth-jwt-keys there are no tenants");
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
  options->session_drain_timeout = absl::Seconds(raw.session_drain_timeout_secs);
  options->exit_timeout = absl::Seconds(raw.exit_timeout_secs);
  options->snapshot_lifetime = absl::Seconds(raw.session_snapshot_lifetime_secs);
  options->limits.version_drain_timeout = absl::Seconds(raw.version_drain_timeout_secs);
  options->shed_after = absl::Seconds(raw.shed_after_secs);
  options->limits.idle_timeout = absl::Seconds(raw.idle_timeout_secs);
  options->limits.output_stall_timeout = absl::Seconds(raw.output_stall_timeout_secs);
  options->max_batch_wait = absl::Milliseconds(raw.max_batch_wait_ms);
  options->grpc_memory_bytes = raw.grpc_memory_mib << 20;
  options->memory_budget_bytes = raw.memory_budget_mib << 20;
  options->log_options.format = raw.log_format == "json" ? LogFormat::kJson : LogFormat::kText;
  options->log_options.level = raw.log_level == "debug"     ? LogLevel::kDebug
                               : raw.log_level == "warning" ? LogLevel::kWarning
                               : raw.log_level == "error"   ? LogLevel::kError
                                                            : LogLevel::kInfo;
  options->triton_metrics = raw.metrics_compat == "triton";
  options->max_connection_age = absl::Seconds(raw.max_connection_age_secs);
  for (const std::string& text : raw.max_sessions_per_model) {
    std::pair<std::string, int> limit;
    if (ParseModelLimit(text, &limit)) options->max_sessions_per_model.insert(limit);
  }
  options->jobs.blob_quota_bytes = raw.blob_quota_mib << 20;
  options->jobs.policy.lease = absl::Seconds(raw.job_lease_secs);
  options->jobs.policy.heartbeat = absl::Seconds(raw.job_heartbeat_secs);
  options->jobs.retention.max_age = absl::Hours(24) * raw.job_retention_days;
  options->jobs.bundled_repository = options->model_repository;
}

// All flags, and where their values go.
struct Flags {
  ServerOptions options;
  RawFlags raw;
  std::string config;
  CLI::App app{"Serves trained voices: audio in, the voice's answer out, live, over gRPC.", "ddsp-server"};

  Flags() {
    app.add_option("--config", config,
                   "Text file of flags, `max_sessions: 64`; those of the command line go first (`ddsp config check`)");
    AddModels(app, options, raw);
    AddAddresses(app, options);
    AddSecurity(app, options.security);
    AddDevice(app, options);
    AddLimits(app, options, raw);
    AddObservation(app, options, raw);
    AddTimes(app, options, raw);
    AddJobs(app, options.jobs, raw);
  }
  Flags(const Flags&) = delete;

  void Parse(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end());  // as the library wants them
    app.parse(std::move(arguments));
  }
  // What is wrong with flags that are right one by one; then turns them into options.
  void Finish() {
    CheckJobs(app, options.jobs, raw);
    CheckObservation(app, options);
    CheckSecurity(app, options.security);
    Apply(raw, &options);
  }
};

std::vector<std::string> ArgumentsOf(const ConfigEntry& entry) {
  // Behind "=" the library overlooks nothing, and takes "-1" for a value.
  if (entry.value.empty()) return {entry.flag, ""};
  return {absl::StrCat(entry.flag, "=", entry.value)};
}

// Each entry for itself, so that its line can be told.
absl::Status CheckEntries(const std::vector<ConfigEntry>& entries, const std::string& file) {
  std::map<std::string, int> lines;
  for (const ConfigEntry& entry : entries) {
    const auto error = [&](const std::string& problem) {
      return absl::InvalidArgumentError(absl::StrCat(file, ":", entry.line, ": ", problem));
    };
    Flags alone;
    const CLI::Option* const option = alone.app.get_option_no_throw(entry.flag);
    if (option == nullptr || entry.flag == "--help" || entry.flag == "--config") {
      return error(absl::StrCat("there is no ", entry.flag, " to set here"));
    }
    const auto [earlier, is_first] = lines.emplace(entry.flag, entry.line);
    if (!is_first && option->get_items_expected_max() == 1) {
      return error(absl::StrCat(entry.flag, " was set on line ", earlier->second, " already"));
    }
    try {
      alone.Parse(ArgumentsOf(entry));
    } catch (const CLI::ParseError& wrong) {
      return error(wrong.what());
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ConfigEntry>> ReadConfig(const std::string& file) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(file));
  ASSIGN_OR_RETURN(std::vector<ConfigEntry> entries, ParseConfig(text, file));
  RETURN_IF_ERROR(CheckEntries(entries, file));
  return entries;
}

// The flags of the command line, and below them those of the file.
absl::Status ParseBoth(const Flags& given, std::vector<std::string> arguments, Flags* both) {
  ASSIGN_OR_RETURN(const std::vector<ConfigEntry> entries, ReadConfig(given.config));
  std::vector<std::string> all;
  for (const ConfigEntry& entry : entries) {
    if (given.app.count(entry.flag) > 0) continue;
    for (std::string& argument : ArgumentsOf(entry)) all.push_back(std::move(argument));
  }
  all.insert(all.end(), arguments.begin(), arguments.end());
  try {
    both->Parse(std::move(all));
    both->Finish();
  } catch (const CLI::ParseError& wrong) {
    return absl::InvalidArgumentError(absl::StrCat(given.config, ": ", wrong.what()));
  }
  return absl::OkStatus();
}

// "postgresql://ddsp:secret@db/jobs" without the secret.
std::string Masked(const std::string& address) {
  const size_t host = address.find("://"), at = address.rfind('@');
  if (host == std::string::npos || at == std::string::npos) return address;
  const size_t colon = address.find(':', host + 3);
  return colon == std::string::npos || colon > at ? address
                                                  : absl::StrCat(address.substr(0, colon), ":***", address.substr(at));
}

std::string TextOf(const Flags& flags) {
  std::string text;
  for (const CLI::Option* option : flags.app.get_options()) {
    const std::string name = option->get_name();
    if (name == "--help" || name == "--config" || name == "-h,--help") continue;
    for (const std::string& value : option->results()) absl::StrAppend(&text, ConfigLine(name, Masked(value)));
    // Some defaults would be a mistake if they were given: jobs without a data dir.
    if (option->count() > 0) continue;
    const std::string line = ConfigLine(name, option->get_default_str());
    absl::StrAppend(&text, "# ",
                    option->get_items_expected_max() == 1 ? line : line.substr(0, line.find(':')) + ": []\n");
  }
  return text;
}

// "--admin-listen=" says that there is none; the library would take the next argument for its value.
std::vector<std::string> ArgumentsOf(int argc, const char* const* argv) {
  std::vector<std::string> arguments;
  for (const absl::string_view argument : absl::MakeConstSpan(argv + 1, argc - 1)) {
    const bool empty = absl::StartsWith(argument, "--") && absl::EndsWith(argument, "=");
    arguments.emplace_back(argument.substr(0, argument.size() - (empty ? 1 : 0)));
    if (empty) arguments.emplace_back();
  }
  return arguments;
}

}  // namespace

ParsedFlags ParseFlags(int argc, const char* const* argv) {
  const std::vector<std::string> arguments = ArgumentsOf(argc, argv);
  auto given = std::make_unique<Flags>();
  try {
    given->Parse(arguments);
    if (given->config.empty()) given->Finish();
  } catch (const CLI::ParseError& error) {
    return {.options = {}, .exit_code = given->app.exit(error) == 0 ? kExitOk : kExitUsage};
  }
  if (given->config.empty()) return {.options = given->options, .exit_code = std::nullopt};
  Flags both;
  if (const absl::Status parsed = ParseBoth(*given, arguments, &both); !parsed.ok()) {
    std::cerr << parsed.message() << "\n";
    return {.options = {}, .exit_code = kExitUsage};
  }
  return {.options = both.options, .exit_code = std::nullopt};
}

absl::StatusOr<std::string> ResolveConfig(const std::string& file) {
  Flags none, both;
  none.config = file;
  RETURN_IF_ERROR(ParseBoth(none, {}, &both));
  return TextOf(both);
}

}  // namespace ddsp::server
