// One leased job from its claim to the farewell.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "worker/jobs/job_runner.h"
#include "worker/jobs/job_server.h"
#include "worker/jobs/lease_keeper.h"
#include "worker/jobs/work_dir.h"

namespace ddsp::worker {

class JobSession {
 public:
  struct Options {
    LeaseKeeper::Options lease;
    // How long the farewell is repeated while the server is away.
    absl::Duration patience = absl::Minutes(10);
    // For one call; completing a training waits until its voice has been tested and serves.
    absl::Duration farewell_timeout = absl::Minutes(2);
    // For the last report before a release.
    absl::Duration flush_timeout = absl::Seconds(5);
    // Called with a file's bytes before work begins: what the workspace may come to hold, as a multiple of the inputs.
    double disk_factor = 4;
  };
  // Everything outlives this.
  JobSession(JobServer& server, const WorkDir& work_dir, BlobDepot& blobs, StopToken& stop, Options options);

  // Returns when the server knows how it ended, or nobody can tell it.
  void Run(const v1::LeasedJob& leased, const JobRunner& runner);

 private:
  absl::StatusOr<v1::JobResult> Work(const v1::Job& job, const JobRunner& runner, LeaseKeeper& lease);
  void Part(const v1::LeasedJob& leased, const absl::StatusOr<v1::JobResult>& result, LeaseKeeper& lease);
  void Complete(const v1::LeasedJob& leased, const v1::JobResult& result, LeaseKeeper& lease);
  void Fail(const v1::LeasedJob& leased, const absl::Status& error, LeaseKeeper& lease);
  // Calls until the server takes it or refuses it.
  template <typename Call>
  absl::StatusOr<v1::Job> Insist(const Call& call) const;

  JobServer& server_;
  const WorkDir& work_dir_;
  BlobDepot& blobs_;
  StopToken& stop_;
  const Options options_;
};

// Bytes of the files that a job reads.
int64_t InputBytes(const v1::JobSpec& spec);

}  // namespace ddsp::worker
