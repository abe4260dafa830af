// Everything that a server needs for jobs, in one object.
//
//   <data dir>/jobs.sqlite             jobs and their logs (unless PostgreSQL keeps them)
//   <data dir>/blobs/, uploads/, lock  uploads, checkpoints, results (server/blobs); blobs/ID names this data dir
//   <data dir>/models/                 voices that jobs have published (voice_publisher.h)
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/base/ticker.h"
#include "server/blobs/blob_store.h"
#include "server/jobs/desk/desk_options.h"
#include "server/jobs/desk/job_keeper.h"
#include "server/jobs/desk/voice_publisher.h"
#include "server/jobs/job_store.h"
#include "server/logs/log.h"
#include "server/metrics/job_metrics.h"
#include "server/metrics/server_metrics.h"
#include "server/registry/model_control.h"
#include "server/rpc/method_table.h"
#include "server/rpc/work_queue.h"

namespace ddsp::server {

class JobDesk {
 public:
  // Borrowed; outlive the desk.
  struct Surroundings {
    ModelControl& models;  // puts published voices into service
    ServerMetrics& metrics;
    const Clock& clock;  // the time of day (AnchoredClock)
    Log* log = nullptr;  // null: nothing is said
  };
  // Makes what is missing of the data dir, and takes over what an earlier process left there. Keeps the jobs from now
  // on, on a thread of its own.
  // Errors name the flag: a data dir that cannot be written, or that another process has, or whose models are the
  // repository that this server was given; a database that cannot be reached, or that holds the jobs of another data
  // dir.
  static absl::StatusOr<std::unique_ptr<JobDesk>> Open(const JobDeskOptions& options, const Surroundings& surroundings);

  // The methods of ddsp.v1.Jobs. The desk outlives their calls.
  void AddMethods(MethodTable* methods);
  // Gauges; once a second, on any thread.
  void Report() { keeper_.ReportLag(); }

 private:
  JobDesk(const JobDeskOptions& options, const Surroundings& surroundings, std::unique_ptr<JobMetrics> metrics,
          std::unique_ptr<BlobStore> blobs, std::unique_ptr<JobStore> store, std::unique_ptr<VoicePublisher> publisher);

  const JobDeskOptions options_;
  const Clock& clock_;
  const std::unique_ptr<JobMetrics> metrics_;
  const std::unique_ptr<BlobStore> blobs_;
  const std::unique_ptr<JobStore> store_;
  const std::unique_ptr<VoicePublisher> publisher_;
  JobKeeper keeper_;
  // Their threads use the rest.
  WorkQueue work_, following_, publishing_;
  Ticker ticker_;
};

// Answers every method of ddsp.v1.Jobs with JOBS_DISABLED: for servers without a desk.
void AddNoJobsMethods(MethodTable* methods);

}  // namespace ddsp::server
