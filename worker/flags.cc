#include "worker/flags.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/flags/server_flags.h"

namespace ddsp::worker {
namespace {

constexpr size_t kMaxNameBytes = 63;

// Durations as the command line has them.
struct RawFlags {
  double checkpoint_seconds = 10, poll_seconds = 1, grace_seconds = 20;
};

std::string DefaultName() {
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host = {"worker"};
  const std::string pid = absl::StrCat(":", getpid());
  return std::string(host.data()).substr(0, kMaxNameBytes - pid.size()) + pid;
}

std::string DefaultWorkDir() {
  const char* temporary = std::getenv("TMPDIR");
  return absl::StrCat(temporary == nullptr || *temporary == 0 ? "/tmp" : temporary, "/ddsp-worker");
}

constexpr char kExitCodes[] =
    "Exit codes: 0 told to stop (SIGTERM, SIGINT; a second one hurries), idle, or enough jobs done; 1 the server has "
    "no\n"
    "jobs or no such job, or the work directory cannot be used; 2 a flag is wrong; with --job: 0 the job succeeded or\n"
    "was cancelled, 3 it failed for good, 4 told to stop before it was done.";

void Declare(CLI::App& app, WorkerOptions& options, RawFlags& raw) {
  const auto seconds = [&](const char* name, double& value, double most, const char* help) {
    app.add_option(name, value, help)->capture_default_str()->check(CLI::Range(0.05, most));
  };
  client::AddServerFlags(app, &options.server, "HOST:PORT of a ddsp-server that has jobs")->required();
  app.add_option("--kinds", options.kinds,
                 "Kinds of jobs to take, of train, transfer, render, features; all by default")
      ->delimiter(',')
      ->check(CLI::IsMember({"train", "transfer", "render", "features"}));
  app.add_option("--name", options.name, "Of the worker, for people; HOST:PID by default")
      ->check([](const std::string& name) {
        return name.size() <= kMaxNameBytes ? "" : absl::StrCat("longer than ", kMaxNameBytes, " bytes");
      });
  app.add_option("--job", options.claim.job, "Do only this one, \"jobs/...\", until it is done, and exit");
  app.add_option("--max-jobs", options.claim.max_jobs, "Exit after so many; 0: never")
      ->capture_default_str()
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 40));
  app.add_flag("--exit-when-idle", options.claim.exit_when_idle, "Exit when no job waits");
  app.add_option("--work-dir", options.work_dir,
                 "For the files of jobs, removed after each; workers may share it, also with killed ones")
      ->capture_default_str();
  app.add_option("--health-file", options.health_file,
                 "Written at least every 20 s while the worker lives, for a probe that looks at its age");
  seconds("--checkpoint-seconds", raw.checkpoint_seconds, 3600, "Most that a killed worker's training loses");
  seconds("--poll-seconds", raw.poll_seconds, 3600, "Between claims while no job waits");
  seconds("--grace-seconds", raw.grace_seconds, 3600,
          "After a signal: time to save and hand back the job; then it is handed back as it was last saved");
  app.footer(kExitCodes);
}

void Finish(const RawFlags& raw, WorkerOptions* options) {
  options->checkpoint_interval = absl::Seconds(raw.checkpoint_seconds);
  options->claim.poll = absl::Seconds(raw.poll_seconds);
  options->grace = absl::Seconds(raw.grace_seconds);
  if (options->name.empty()) options->name = DefaultName();
  if (options->kinds.empty()) options->kinds = {"train", "transfer", "render", "features"};
  if (!options->claim.job.empty() && !absl::StartsWith(options->claim.job, "jobs/")) {
    options->claim.job = "jobs/" + options->claim.job;
  }
}

}  // namespace

ParsedFlags ParseFlags(int argc, const char* const* argv) {
  ParsedFlags parsed;
  parsed.options.work_dir = DefaultWorkDir();
  RawFlags raw;
  CLI::App app{"Does the jobs of a ddsp-server: trains voices, plays and analyses files.", "ddsp-worker"};
  Declare(app, parsed.options, raw);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    parsed.exit_code = static_cast<int>(app.exit(error) == 0 ? ExitCode::kOk : ExitCode::kUsage);
  }
  Finish(raw, &parsed.options);
  return parsed;
}

}  // namespace ddsp::worker
