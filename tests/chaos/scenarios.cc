#include "tests/chaos/scenarios.h"

#include <signal.h>

#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "client/sdk/blob_transfer.h"
#include "client/sdk/channel.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"

namespace ddsp::testing {
namespace {

void Calm(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

absl::Status DoNothing(Cluster&, double calm_seconds) {
  Calm(calm_seconds);
  return absl::OkStatus();
}

absl::Status RestartAll(Cluster& cluster, double calm_seconds) {
  for (int i = 0; i < Cluster::kReplicas; ++i) {
    Replica& replica = cluster.replica(i);
    replica.program().Signal(SIGTERM);
    if (const int code = replica.program().Wait(); code != 0) {
      return absl::InternalError(absl::StrCat("a drained server ended with ", code, ": ", replica.last_words()));
    }
    RETURN_IF_ERROR(replica.Start());
    Calm(calm_seconds);
  }
  return absl::OkStatus();
}

absl::Status KillOne(Cluster& cluster, double calm_seconds) {
  cluster.replica(0).program().Kill();
  Calm(calm_seconds);
  return absl::OkStatus();
}

absl::Status FreezeOne(Cluster& cluster, double calm_seconds) {
  Program& program = cluster.replica(0).program();
  program.Signal(SIGSTOP);
  Calm(2 + calm_seconds);  // clients take about that long to notice
  program.Signal(SIGCONT);
  Calm(calm_seconds);
  return absl::OkStatus();
}

// Nothing can be written: no log, no job, no upload.
absl::Status FillDisk(Cluster& cluster, double calm_seconds) {
  for (int i = 0; i < Cluster::kReplicas; ++i) cluster.replica(i).program().LimitFileSize(0);
  client::CallOptions options;
  options.retry.give_up_after = absl::ZeroDuration();
  options.retry.give_up_unmet_after = absl::ZeroDuration();
  client::BlobTransfer blobs(client::MakeJobsChannel(cluster.replica(0).address()), options);
  if (blobs.UploadFile("/proc/self/exe").ok()) return absl::InternalError("the disk is not full: it took an upload");
  Calm(calm_seconds);
  cluster.replica(0).program().Signal(SIGTERM);
  cluster.replica(0).program().Wait();
  Calm(calm_seconds);
  return absl::OkStatus();
}

void SlowDown(Cluster& cluster) { cluster.SlowDown({}); }

const std::vector<Scenario>* const kScenarios = new std::vector<Scenario>{
    {"undisturbed", "nothing happens", nullptr, DoNothing},
    {"rolling-restart", "SIGTERM one after the other", nullptr, RestartAll},
    {"kill", "kill -9 of one", nullptr, KillOne},
    {"freeze", "SIGSTOP of one, later SIGCONT", nullptr, FreezeOne},
    {"full-disk", "no file can grow; then SIGTERM one", nullptr, FillDisk},
    {"slow-network", "40 ms and 1 MB/s each way; kill -9 of one", SlowDown, KillOne},
};

}  // namespace

const std::vector<Scenario>& Scenarios() { return *kScenarios; }

}  // namespace ddsp::testing
