// Claims jobs and does them, one after the other.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "worker/jobs/blob_depot.h"
#include "worker/jobs/claim_policy.h"
#include "worker/jobs/job_runner.h"
#include "worker/jobs/job_server.h"
#include "worker/jobs/work_dir.h"
#include "worker/jobs/worker_options.h"

namespace ddsp::worker {

// By kind: "train", ...
using RunnerTable = std::map<std::string, std::unique_ptr<const JobRunner>>;

class Worker {
 public:
  struct Surroundings {
    JobServer& server;
    const WorkDir& work_dir;
    // The files of one job; its token outlives it.
    std::function<std::unique_ptr<BlobDepot>(StopToken&)> make_depot;
    const Clock* clock = &Clock::Steady();
    std::function<void()> pulse;                       // called at least every quarter of a minute; may be empty
    std::function<void(const std::string& line)> log;  // may be empty
  };
  // Everything outlives the worker.
  Worker(WorkerOptions options, const RunnerTable& runners, Surroundings surroundings);

  // Returns when there is nothing more to do, or after Stop().
  ExitCode Run();

  // From any thread: saves and hands back the job at hand, then ends.
  void Stop();
  // From any thread, when Stop() takes too long: hands the job back as it was last saved. The process ends after this.
  void Abandon();

 private:
  // Claims; works on what was claimed.
  void Turn();
  void Work(const v1::LeasedJob& leased, absl::Time asked);
  void Say(const std::string& line) const;

  const WorkerOptions options_;
  const RunnerTable& runners_;
  const Surroundings around_;
  StopToken idle_;    // ends pauses between claims
  ClaimState state_;  // of the thread in Run()

  Mutex mu_;
  StopToken* current_ ABSL_GUARDED_BY(mu_) = nullptr;  // of the job at hand
  v1::LeasedJob leased_ ABSL_GUARDED_BY(mu_);          // that job
};

// "train" for a job that trains; empty for one that this program does not know.
std::string KindOf(const v1::JobSpec& spec);

}  // namespace ddsp::worker
