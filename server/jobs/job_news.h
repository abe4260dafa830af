// What happens to jobs, for who keeps a diary of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/jobs/job.h"
#include "server/jobs/job_transition.h"

namespace ddsp::server {

enum class JobStep {
  kCreated,
  kClaimed,
  kReleased,         // by a worker that stops in good order
  kAttemptFailed,    // and is to be tried again
  kLeaseLost,        // the worker was silent for too long
  kCancelRequested,  // while a worker has it
  kSucceeded,
  kFailed,  // for good
  kCancelled,
};

std::string_view NameOf(JobStep step);  // "lease_lost"

// What `event` was for a job that it has made `after` of: none where nothing has changed, or the worker only went on;
// two where a lost lease ends the job.
std::vector<JobStep> StepsOf(const Job& before, const Job& after, const JobEvent& event);

struct JobNews {
  JobStep step = JobStep::kCreated;
  Job job;             // afterwards; where a lease was lost without its spec
  std::string tenant;  // empty: nobody was asked
};

}  // namespace ddsp::server
