// ddsp-worker: claims jobs of a server and does them until a signal.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "client/sdk/channel.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "worker/flags.h"
#include "worker/jobs/remote_blob_depot.h"
#include "worker/jobs/remote_job_server.h"
#include "worker/jobs/worker.h"
#include "worker/runners/file_runners.h"
#include "worker/runners/train_runner.h"
#include "worker/signal_thread.h"

namespace ddsp::worker {
namespace {

void Log(const std::string& line) { std::fprintf(stderr, "ddsp-worker: %s\n", line.c_str()); }

// Hands the job back as it was last saved, whatever the other threads are busy with.
[[noreturn]] void Leave(const WorkerOptions& options, const WorkDir& work_dir, Worker& worker) {
  Log("leaving the job as it was last saved");
  worker.Abandon();
  std::error_code ignored;
  std::filesystem::remove_all(work_dir.path(), ignored);
  _exit(static_cast<int>(options.claim.job.empty() ? ExitCode::kOk : ExitCode::kJobLeft));
}

RunnerTable MakeRunners(const WorkerOptions& options, const std::shared_ptr<grpc::Channel>& channel) {
  FileBatch::Options batch;
  batch.checkpoint_interval = std::min(batch.checkpoint_interval, options.checkpoint_interval);
  RunnerTable runners;
  runners["train"] = std::make_unique<TrainRunner>(TrainRunner::Options{options.checkpoint_interval});
  runners["transfer"] = std::make_unique<TransferRunner>(channel, batch);
  runners["render"] = std::make_unique<RenderRunner>(channel, batch);
  runners["features"] = std::make_unique<FeaturesRunner>(batch);
  return runners;
}

absl::StatusOr<ExitCode> Run(const WorkerOptions& options) {
  SignalThread signals;
  ASSIGN_OR_RETURN(const std::unique_ptr<WorkDir> work_dir, WorkDir::Open(options.work_dir));
  const std::shared_ptr<grpc::Channel> channel = client::MakeJobsChannel(options.server);
  RemoteJobServer server(channel);
  const RunnerTable runners = MakeRunners(options, channel);
  Worker::Surroundings around{server, *work_dir,
                              [&](StopToken& stop) { return std::make_unique<RemoteBlobDepot>(channel, stop); }};
  around.log = Log;
  if (!options.health_file.empty()) {
    around.pulse = [&] { WriteFileAtomically(options.health_file, "alive\n").IgnoreError(); };
  }
  Worker worker(options, runners, around);
  Log(options.name + " works for " + options.server.target);
  const auto stop = [&] {
    Log("stopping; a second signal hurries");
    worker.Stop();
  };
  signals.Start({stop, options.grace, [&] { Leave(options, *work_dir, worker); }});
  const ExitCode code = worker.Run();
  signals.Stop();
  return code;
}

}  // namespace
}  // namespace ddsp::worker

int main(int argc, char** argv) {
  using ddsp::worker::ExitCode;
  // A file that grows beyond a limit of the system is an error of the job, not the end of the worker.
  signal(SIGXFSZ, SIG_IGN);
  const ddsp::worker::ParsedFlags flags = ddsp::worker::ParseFlags(argc, argv);
  if (flags.exit_code) return *flags.exit_code;
  const absl::StatusOr<ExitCode> code = ddsp::worker::Run(flags.options);
  if (!code.ok()) std::fprintf(stderr, "ddsp-worker: %s\n", code.status().ToString().c_str());
  return static_cast<int>(code.ok() ? *code : ExitCode::kFailure);
}
